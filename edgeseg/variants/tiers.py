"""The three tiers that every command and table names."""

from __future__ import annotations

from edgeseg.errors import UnknownNameError
from edgeseg.results import Tier
from edgeseg.specs import VariantSpec
from edgeseg.variants import VARIANTS

_LIGHT = VariantSpec(name="alphax", alpha=0.125, stem="half")

TIERS: dict[str, Tier] = {
    t.name: t
    for t in (
        Tier(
            name="full",
            variant=VARIANTS["unet-bn"].default,
            precision="fp32",
            summary="unet-bn at full width in float",
        ),
        Tier(
            name="alphax-light",
            variant=_LIGHT,
            precision="fp32",
            summary="alphax 0.125 with the half-resolution stem in float",
        ),
        Tier(name="int8", variant=_LIGHT, precision="int8", summary="alphax-light in full-integer int8"),
    )
}


def tier_of(variant: VariantSpec, precision: str) -> str:
    """Return the tier that a variant in a precision belongs to, or `custom`."""
    for tier in TIERS.values():
        if (tier.variant, tier.precision) == (variant, precision):
            return tier.name
    return "custom"


def resolve_variant(
    name: str,
    *,
    alpha: float | None = None,
    stem: str | None = None,
    profile: str | None = None,
    levels: tuple[int, ...] = (),
    convolutions: tuple[int, ...] = (),
) -> VariantSpec:
    """Turn a family's or a tier's name, and what the caller adds, into a spec.

    Where levels are given they are taken as they are, unless an alpha is given too.

    Raises:
        UnknownNameError: for a name that is neither.
        OptionError: for what cannot be.
    """
    if name in TIERS:
        default = TIERS[name].variant
    elif name in VARIANTS:
        default = VARIANTS[name].default
    else:
        raise UnknownNameError("variant", name, (*VARIANTS, *TIERS))
    return VariantSpec(
        name=default.name,
        alpha=(1.0 if levels else default.alpha) if alpha is None else alpha,
        stem=default.stem if stem is None else stem,
        profile=default.profile if profile is None else profile,
        levels=levels,
        convolutions=convolutions,
    )
