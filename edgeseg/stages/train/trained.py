"""The network that a training trains: one of edgeseg's own, or somebody else's behind its contract."""

from __future__ import annotations

from typing import Any

from edgeseg.checkpoint import Checkpoint
from edgeseg.foreign import fed, rebuild, to_size
from edgeseg.specs import ImageSpec, VariantSpec
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
    """Build a network over training batches, `(N, H, W, C) float32 in [0, 1]` -> `(N, H, W, K)` logits.

    K is 1, or as many as there are classes; of somebody else's network with regions as many as it has channels.

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
    logits = network(fed(keras, given, foreign.contract, image.channels))
    return keras.Model(given, to_size(keras, logits, image.height, image.width))
