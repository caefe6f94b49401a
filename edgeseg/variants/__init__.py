"""The networks, one per file, and the table that names them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from edgeseg.backend import load_keras
from edgeseg.errors import OptionError, UnknownNameError
from edgeseg.results import Census
from edgeseg.specs import ImageSpec, VariantSpec
from edgeseg.variants import alphax, r2unet, unet, unet_bn
from edgeseg.variants.census import census

__all__ = ["VARIANTS", "Census", "Variant", "build_model", "census", "get", "slots"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One family of networks; `slots` are the layers, or groups of them, that can have a width of their own."""

    name: str
    stems: tuple[str, ...]
    slots: tuple[str, ...]
    default: VariantSpec
    build: Callable[..., Any]


def _variant(module: ModuleType, default: VariantSpec) -> Variant:
    return Variant(name=module.NAME, stems=module.STEMS, slots=module.SLOTS, default=default, build=module.build)


VARIANTS: dict[str, Variant] = {
    v.name: v
    for v in (
        _variant(unet, VariantSpec(name="unet", alpha=1.0, stem="full")),
        _variant(unet_bn, VariantSpec(name="unet-bn", alpha=1.0, stem="full")),
        _variant(alphax, VariantSpec(name="alphax", alpha=0.125, stem="half")),
        _variant(r2unet, VariantSpec(name="r2unet", alpha=1.0, stem="full")),
    )
}


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
    """
    return get(spec.name).slots


def build_model(spec: VariantSpec, image: ImageSpec | None = None, keras: Any = None) -> Any:
    """Build a network: `(N, H, W, 3) float32 in [0, 1]` -> `(N, H, W, 1)` logits.

    Args:
        spec: family, alpha and stem.
        image: input size; 256 x 256 x 3 unless given.
        keras: Keras 3 or tf_keras; Keras 3 on TensorFlow unless given.

    Raises:
        UnknownNameError: for an unknown family.
        OptionError: for a stem that the family does not have, a size it cannot halve, or widths for another number of
            layers.
    """
    variant = get(spec.name)
    if spec.stem not in variant.stems:
        raise OptionError(f"{spec.name} has no stem '{spec.stem}'; choose one of: {', '.join(variant.stems)}")
    namespace = load_keras() if keras is None else keras
    return variant.build(
        namespace,
        image=image or ImageSpec(),
        alpha=spec.alpha,
        stem=spec.stem,
        profile=spec.profile,
        widths=spec.widths,
    )
