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

    The name of a network, or its slug, stands for its shape; which weights are taken says `network_named`.

    Raises:
        UnknownNameError: for a name that is no family, no tier and no network, with the nearest one.
        OptionError: for an option that cannot be.
        CheckpointError: when the weights are missing or damaged.
    """
    from edgeseg.checkpoint import read_checkpoint
    from edgeseg.errors import OptionError, UnknownNameError
    from edgeseg.networks import named, names
    from edgeseg.variants import VARIANTS
    from edgeseg.variants.tiers import TIERS, resolve_variant

    as_is = all(option is None for option in (alpha, stem, profile, levels, convolutions))
    if weights is not None and name is None and as_is:
        return read_checkpoint(weights).header.variant
    network = None if name is None else named(name)
    if network is not None and name not in VARIANTS and as_is:
        return network.record.spec
    if name is not None and name not in (*VARIANTS, *TIERS):
        if network is not None:
            raise OptionError(
                f"'{name}' is a network of one shape; leave out --alpha, --stem, --profile, --levels and --convolutions"
            )
        raise UnknownNameError("variant", name, (*VARIANTS, *TIERS, *names()))
    return resolve_variant(
        name or DEFAULT,
        alpha=alpha,
        stem=stem,
        profile=profile,
        levels=_numbers("levels", levels),
        convolutions=_numbers("convolutions", convolutions),
    )


def network_named(name: str | None) -> str:
    """Return the name of the network that an option names; empty where it names a family or a tier, or nothing."""
    from edgeseg.networks import named
    from edgeseg.variants import VARIANTS

    network = None if name is None or name in VARIANTS else named(name)
    return "" if network is None else network.name


def _numbers(name: str, text: str | None) -> tuple[int, ...]:
    from edgeseg.errors import OptionError

    parts = [] if text is None else text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise OptionError(f"{name} is '{text}'; give whole numbers with commas between, one for each level")
    return tuple(map(int, parts))
