"""Values that a shell completes."""

from __future__ import annotations


def targets(incomplete: str) -> list[str]:
    """Return the names of targets, of which several may be given with commas, that begin so."""
    from edgeseg.targets import ALL, TARGETS

    before, comma, last = incomplete.rpartition(",")
    parts = {part for name in TARGETS for part in name.split("-")}
    return [f"{before}{comma}{name}" for name in (*TARGETS, *sorted(parts), ALL) if name.startswith(last)]


def variants(incomplete: str) -> list[str]:
    """Return the names of families, tiers and networks that begin so."""
    from edgeseg.networks import names
    from edgeseg.variants import VARIANTS
    from edgeseg.variants.tiers import TIERS

    return [name for name in dict.fromkeys((*TIERS, *VARIANTS, *names())) if name.startswith(incomplete)]


def networks(incomplete: str) -> list[str]:
    """Return the names of networks that begin so."""
    from edgeseg.networks import names

    return [name for name in names() if name.startswith(incomplete)]


def models(incomplete: str) -> list[str]:
    """Return the names of networks that begin so, and behind a slash a network's files; the shell finds paths."""
    from edgeseg import networks as named
    from edgeseg.errors import EdgeSegError

    name, slash, _ = incomplete.partition("/")
    if not slash:
        return networks(incomplete)
    try:
        files = named.get(name).targets
    except EdgeSegError:
        return []
    return [one for one in (f"{name}/{target}" for target in files) if one.startswith(incomplete)]
