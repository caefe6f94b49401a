"""What there is to choose from, as `edgeseg targets` and `edgeseg variants` list it for programs."""

from __future__ import annotations

from edgeseg.artifacts import weights_path
from edgeseg.checkpoint import shipped_variants
from edgeseg.progress import Progress
from edgeseg.results import ListedTarget, ListedVariant, TargetList, VariantList
from edgeseg.specs import VariantSpec
from edgeseg.targets import TARGETS
from edgeseg.variants import VARIANTS, build_model, census
from edgeseg.variants.tiers import TIERS


def list_targets() -> TargetList:
    """List every target."""
    names = ListedTarget.__dataclass_fields__
    return TargetList(targets=tuple(ListedTarget(**{n: getattr(t, n) for n in names}) for t in TARGETS.values()))


def list_variants(progress: Progress) -> VariantList:
    """List the four families, the widths of Alphax and what ships, each counted on the built network.

    Args:
        progress: called after each network.
    """
    alphax = [VariantSpec(name="alphax", alpha=a, stem=s) for a in (0.25, 0.125, 0.0625) for s in ("full", "half")]
    specs = [v.default for v in VARIANTS.values() if v.name != "alphax"] + alphax
    specs += [spec for spec in shipped_variants() if spec not in specs]
    found = []
    for done, spec in enumerate(specs, start=1):
        counted = census(build_model(spec))
        found.append(
            ListedVariant(variant=spec.slug, spec=spec, census=counted, weights=weights_path(spec.slug).is_file())
        )
        progress(done, len(specs), spec.slug)
    return VariantList(variants=tuple(found), tiers=tuple(TIERS.values()))
