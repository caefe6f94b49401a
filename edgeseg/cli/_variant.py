"""Which network a command means, from its options and from the weights that it was given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.specs import VariantSpec

DEFAULT = "alphax-light"


def variant_of(
    name: str | None, weights: Path | None, *, alpha: float | None, stem: str | None, profile: str | None = None
) -> VariantSpec:
    """Return the network that the options name; where they say nothing, that of the weights, or the default.

    A folder of `models/` names its network too, since those with channels removed have no other name.

    Raises:
        UnknownNameError: for a name that is no family and no tier.
        OptionError: for an alpha, a stem or a profile that cannot be.
        CheckpointError: when the weights are missing or damaged.
    """
    from edgeseg.checkpoint import read_checkpoint, shipped_variants
    from edgeseg.variants.tiers import resolve_variant

    if weights is not None and (name, alpha, stem, profile) == (None, None, None, None):
        return read_checkpoint(weights).header.variant
    if weights is None and (alpha, stem, profile) == (None, None, None):
        for spec in shipped_variants():
            if spec.slug == name:
                return spec
    return resolve_variant(name or DEFAULT, alpha=alpha, stem=stem, profile=profile)
