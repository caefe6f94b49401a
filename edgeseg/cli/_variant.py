"""Which network a command means, from its options and from the weights that it was given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.specs import VariantSpec

DEFAULT = "alphax-light"


def variant_of(
    name: str | None,
    weights: Path | None,
    *,
    alpha: float | None,
    stem: str | None,
    profile: str | None = None,
    levels: str | None = None,
    convolutions: str | None = None,
) -> VariantSpec:
    """Return the network that the options name; where they say nothing, that of the weights, or the default.

    A folder of `models/` names its network too, since those with channels removed have no other name.

    Raises:
        UnknownNameError: for a name that is no family and no tier.
        OptionError: for an option that cannot be.
        CheckpointError: when the weights are missing or damaged.
    """
    from edgeseg.checkpoint import read_checkpoint, shipped_variants
    from edgeseg.variants.tiers import resolve_variant

    as_is = all(option is None for option in (alpha, stem, profile, levels, convolutions))
    if weights is not None and name is None and as_is:
        return read_checkpoint(weights).header.variant
    if weights is None and as_is:
        for spec in shipped_variants():
            if spec.slug == name:
                return spec
    return resolve_variant(
        name or DEFAULT,
        alpha=alpha,
        stem=stem,
        profile=profile,
        levels=_numbers("levels", levels),
        convolutions=_numbers("convolutions", convolutions),
    )


def _numbers(name: str, text: str | None) -> tuple[int, ...]:
    from edgeseg.errors import OptionError

    parts = [] if text is None else text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise OptionError(f"{name} is '{text}'; give whole numbers with commas between, one for each level")
    return tuple(map(int, parts))
