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

    The name of a network, or its slug, stands for its shape; which weights are taken says `network_named`.

    Raises:
        UnknownNameError: for a name that is no family, no tier and no network, with the nearest one.
        OptionError: for an alpha, a stem or a profile that cannot be.
        CheckpointError: when the weights are missing or damaged.
    """
    from edgeseg.checkpoint import read_checkpoint
    from edgeseg.errors import OptionError, UnknownNameError
    from edgeseg.networks import named, names
    from edgeseg.variants import VARIANTS
    from edgeseg.variants.tiers import TIERS, resolve_variant

    if weights is not None and (name, alpha, stem, profile) == (None, None, None, None):
        return read_checkpoint(weights).header.variant
    network = None if name is None else named(name)
    if network is not None and name not in VARIANTS and (alpha, stem, profile) == (None, None, None):
        return network.record.spec
    if name is not None and name not in (*VARIANTS, *TIERS):
        if network is not None:
            raise OptionError(f"'{name}' is a network of one shape; leave out --alpha, --stem and --profile")
        raise UnknownNameError("variant", name, (*VARIANTS, *TIERS, *names()))
    return resolve_variant(name or DEFAULT, alpha=alpha, stem=stem, profile=profile)


def network_named(name: str | None) -> str:
    """Return the name of the network that an option names; empty where it names a family or a tier, or nothing."""
    from edgeseg.networks import named
    from edgeseg.variants import VARIANTS

    network = None if name is None or name in VARIANTS else named(name)
    return "" if network is None else network.name
