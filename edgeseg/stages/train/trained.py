"""The network that a training trains: one of edgeseg's own, or somebody else's behind its contract."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import OptionError
from edgeseg.foreign import rebuild
from edgeseg.imaging import is_fixed, tables
from edgeseg.specs import CHANNELS, Contract, ImageSpec, VariantSpec
from edgeseg.variants import build_model


def bare_network(keras: Any, variant: VariantSpec, initial: Checkpoint | None, image: ImageSpec) -> Any:
    """Build a network as it is run: of edgeseg's own one for `image`, of others one for the image of its contract.

    Args:
        keras: of `load_keras`.
        variant: which network, where it is one of edgeseg's own.
        initial: what is started from, whose network it is where somebody else trained that.
        image: of a family of edgeseg's.
    """
    foreign = None if initial is None else initial.header.foreign
    if foreign is None or initial is None:
        return build_model(variant, image, keras)
    return rebuild(foreign, initial.arrays, initial.path)


def trained_network(keras: Any, variant: VariantSpec, initial: Checkpoint | None, image: ImageSpec) -> Any:
    """Build a network over training batches, `(N, H, W, 3) float32 in [0, 1]` -> `(N, H, W, 1)` logits.

    Somebody else's network is fed what its contract makes of such an image, and its logits are brought back to it.

    Args:
        keras: of `load_keras`.
        variant: as for `bare_network`.
        initial: likewise.
        image: of the batches.

    Raises:
        OptionError: for a contract whose numbers depend on the pixels of a slice or volume.
    """
    network = bare_network(keras, variant, initial, image)
    foreign = None if initial is None else initial.header.foreign
    if foreign is None:
        return network
    given = keras.Input((image.height, image.width, len(image.channels)), name="slices")
    logits = network(fed(keras, given, foreign.contract))
    return keras.Model(given, _to_size(keras, logits, image.height, image.width))


def fed(keras: Any, images: Any, contract: Contract) -> Any:
    """Turn images of training batches, `(N, H, W, 3) in [0, 1]`, into what a contract says that its network takes."""
    check_fed(contract)
    ends = tables(None, contract)[:, [0, -1]]
    if contract.channels != CHANNELS:
        images = keras.ops.take(images, np.array([CHANNELS.index(c) for c in contract.channels], np.int32), axis=-1)
    images = _to_size(keras, images, contract.height, contract.width)
    return images * (ends[:, 1] - ends[:, 0]) + ends[:, 0]


def targets_on_grid(keras: Any, targets: Any, contract: Contract) -> Any:
    """Bring targets of training batches, `(N, H, W, 1 or 2)`, to the grid of a contract."""
    return _to_size(keras, targets, contract.height, contract.width)


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


def _to_size(keras: Any, values: Any, height: int, width: int) -> Any:
    if tuple(values.shape[1:3]) == (height, width):
        return values
    return keras.ops.image.resize(values, (height, width), interpolation="bilinear", antialias=True)
