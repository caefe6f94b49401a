"""What the contract of somebody's network makes of training batches, with the operations of whatever trains."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.errors import OptionError
from edgeseg.imaging import is_fixed, tables
from edgeseg.specs import CHANNELS, Contract


def fed(keras: Any, images: Any, contract: Contract, channels: tuple[str, ...] = CHANNELS) -> Any:
    """Turn images of training batches, `(N, H, W, C) in [0, 1]`, into what a contract says that its network takes.

    Args:
        keras: of `edgeseg.backend.load_keras`, or what has its `ops.take` and `ops.image.resize`.
        images: NHWC.
        contract: of the network.
        channels: the C channels of the data.

    Raises:
        OptionError: as `check_fed`.
    """
    check_fed(contract, channels)
    ends = tables(None, contract)[:, [0, -1]]
    if contract.channels != channels:
        images = keras.ops.take(images, np.array([channels.index(c) for c in contract.channels], np.int32), axis=-1)
    images = to_size(keras, images, contract.height, contract.width)
    return images * (ends[:, 1] - ends[:, 0]) + ends[:, 0]


def targets_on_grid(keras: Any, targets: Any, contract: Contract) -> Any:
    """Bring targets of training batches, `(N, H, W, T)`, to the grid of a contract."""
    return to_size(keras, targets, contract.height, contract.width)


def check_fed(contract: Contract, channels: tuple[str, ...]) -> None:
    """Refuse a contract of other channels than the data's, or whose numbers depend on the pixels of a slice or volume.

    Training batches do not keep the second.

    Raises:
        OptionError: naming the channel or the normalisation.
    """
    if unknown := [name for name in contract.channels if name not in channels]:
        raise OptionError(
            f"the network takes '{unknown[0]}', and the data has {', '.join(channels)}; only networks of these "
            "channels can be trained on here"
        )
    if not is_fixed(contract):
        raise OptionError(
            f"the network's contract normalises by {contract.normalisation}, which training batches do not do; only "
            "networks that take bytes by unit, slice or mean-std can be trained on here; let it teach a network of "
            "edgeseg's own in its place, with 'edgeseg train --teacher'"
        )


def to_size(keras: Any, values: Any, height: int, width: int) -> Any:
    """Bring `(N, H, W, C)` to another height and width, bilinear with antialiasing; unchanged where it has them."""
    if tuple(values.shape[1:3]) == (height, width):
        return values
    return keras.ops.image.resize(values, (height, width), interpolation="bilinear", antialias=True)
