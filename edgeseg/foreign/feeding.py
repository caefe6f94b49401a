"""What the contract of somebody's network makes of training batches, with the operations of whatever trains."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.errors import OptionError
from edgeseg.imaging import is_fixed, tables
from edgeseg.specs import CHANNELS, Contract


def fed(keras: Any, images: Any, contract: Contract) -> Any:
    """Turn images of training batches, `(N, H, W, 3) in [0, 1]`, into what a contract says that its network takes.

    Args:
        keras: of `edgeseg.backend.load_keras`, or what has its `ops.take` and `ops.image.resize`.
        images: NHWC, channels as `CHANNELS`.
        contract: of the network.

    Raises:
        OptionError: as `check_fed`.
    """
    check_fed(contract)
    ends = tables(None, contract)[:, [0, -1]]
    if contract.channels != CHANNELS:
        images = keras.ops.take(images, np.array([CHANNELS.index(c) for c in contract.channels], np.int32), axis=-1)
    images = to_size(keras, images, contract.height, contract.width)
    return images * (ends[:, 1] - ends[:, 0]) + ends[:, 0]


def targets_on_grid(keras: Any, targets: Any, contract: Contract) -> Any:
    """Bring targets of training batches, `(N, H, W, 1 or 2)`, to the grid of a contract."""
    return to_size(keras, targets, contract.height, contract.width)


def check_fed(contract: Contract) -> None:
    """Refuse a contract whose numbers depend on the pixels of a slice or volume, which training batches do not keep.

    Raises:
        OptionError: naming the normalisation.
    """
    if unknown := [name for name in contract.channels if name not in CHANNELS]:
        raise OptionError(
            f"the network takes '{unknown[0]}', and training batches hold {', '.join(CHANNELS)}; only networks of "
            "these can be trained on here"
        )
    if not is_fixed(contract):
        raise OptionError(
            f"the network's contract normalises by {contract.normalisation}, which training batches do not do; only "
            "networks that take bytes by unit, slice or mean-std can be trained on here"
        )


def to_size(keras: Any, values: Any, height: int, width: int) -> Any:
    """Bring `(N, H, W, C)` to another height and width, bilinear with antialiasing; unchanged where it has them."""
    if tuple(values.shape[1:3]) == (height, width):
        return values
    return keras.ops.image.resize(values, (height, width), interpolation="bilinear", antialias=True)
