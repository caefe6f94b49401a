"""What there is to choose from, as `edgeseg targets` and `edgeseg variants` list it for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgeseg.artifacts import weights_path
from edgeseg.results import RESULT_SCHEMA_VERSION
from edgeseg.specs import VariantSpec
from edgeseg.stages.matrix import shipped_variants
from edgeseg.targets import TARGETS
from edgeseg.variants import VARIANTS, Census, build_model, census
from edgeseg.variants.tiers import TIERS, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTarget:
    """A file format; fields as in `edgeseg.targets.Target`."""

    name: str
    suffix: str
    runtime: str
    precision: str
    needs_calibration: bool
    max_flip_ppm: float
    layout: str
    companions: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetList:
    """The file formats that a build can make."""

    targets: tuple[ListedTarget, ...]
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedVariant:
    """A network, what it holds and computes, and whether its trained weights ship."""

    variant: str
    spec: VariantSpec
    census: Census
    weights: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantList:
    """The networks and the tiers."""

    variants: tuple[ListedVariant, ...]
    tiers: tuple[Tier, ...]
    schema_version: int = RESULT_SCHEMA_VERSION


def list_targets() -> TargetList:
    """List every target."""
    names = ListedTarget.__dataclass_fields__
    return TargetList(targets=tuple(ListedTarget(**{n: getattr(t, n) for n in names}) for t in TARGETS.values()))


def list_variants(progress: Callable[[int, int], None]) -> VariantList:
    """List the four families, the widths of Alphax and what ships, each counted on the built network.

    Args:
        progress: called with networks done and networks in all.
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
        progress(done, len(specs))
    return VariantList(variants=tuple(found), tiers=tuple(TIERS.values()))
