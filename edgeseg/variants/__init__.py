"""The networks, and the table that names them."""

from __future__ import annotations

from typing import Any

from edgeseg.backend import load_keras
from edgeseg.errors import OptionError, UnknownNameError
from edgeseg.specs import ImageSpec, VariantSpec
from edgeseg.variants import blocks
from edgeseg.variants.census import census
from edgeseg.variants.r2unet import R2UNET
from edgeseg.variants.unet import ALPHAX, UNET, UNET_BN
from edgeseg.variants.variant import Variant

__all__ = ["VARIANTS", "Variant", "build_model", "census", "get", "slots"]

VARIANTS: dict[str, Variant] = {v.name: v for v in (UNET, UNET_BN, ALPHAX, R2UNET)}


def get(name: str) -> Variant:
    """Return a family by name.

    Raises:
        UnknownNameError: with the names there are.
    """
    if name not in VARIANTS:
        raise UnknownNameError("variant", name, VARIANTS)
    return VARIANTS[name]


def slots(spec: VariantSpec) -> tuple[str, ...]:
    """Name the slots whose channels `VariantSpec.widths` counts, in its order: `enc1_1`, `enc1_2` ...

    Raises:
        UnknownNameError: for an unknown family.
        OptionError: for convolutions that the family cannot have.
    """
    variant = get(spec.name)
    if not spec.convolutions:
        return variant.slots
    if not variant.convolutions:
        able = ", ".join(name for name, other in VARIANTS.items() if other.convolutions)
        raise OptionError(
            f"convolutions are {list(spec.convolutions)}, and the blocks of {spec.name} are no rows of them; leave "
            f"them out, or choose one of: {able}"
        )
    return blocks.conv_slots(spec.convolutions)


def build_model(spec: VariantSpec, image: ImageSpec | None = None, keras: Any = None) -> Any:
    """Build a network: `(N, H, W, 3) float32 in [0, 1]` -> `(N, H, W, 1)` logits, one for each class.

    Args:
        spec: family, alpha and stem.
        image: input size; 256 x 256 x 3 unless given; sides in multiples of 16 times the scale of the stem.
        keras: Keras 3 or tf_keras; Keras 3 on TensorFlow unless given.

    Raises:
        UnknownNameError: for an unknown family.
        OptionError: for a stem or convolutions that the family does not have, a size it cannot halve, or widths for
            another number of layers.
    """
    variant = get(spec.name)
    if spec.stem not in variant.stems:
        raise OptionError(f"{spec.name} has no stem '{spec.stem}'; choose one of: {', '.join(variant.stems)}")
    image = image or ImageSpec()
    blocks.check_multiple(image, spec.stem, spec.name)
    channels = blocks.plan(spec, slots(spec))
    namespace = load_keras() if keras is None else keras
    inputs = blocks.image_input(namespace, image)
    x = variant.body(namespace, inputs, channels, spec.stem)
    logits = blocks.logits_head(namespace, x, spec.stem, max(1, len(image.classes)))
    return namespace.Model(inputs, logits, name=spec.name.replace("-", "_"))
