"""Two builds side by side: what became smaller, faster, better or worse, patient by patient where both scored them."""

from __future__ import annotations

from statistics import fmean

from edgeseg.metrics import paired_interval
from edgeseg.metrics.clinical import clinical_change
from edgeseg.results import (
    ArtifactComparison,
    ArtifactRow,
    BuildResult,
    ClassComparison,
    ComparisonResult,
    EvalResult,
    Interval,
)
from edgeseg.specs import check_seed


def compare(before: BuildResult, after: BuildResult, *, names: tuple[str, str], seed: int = 0) -> ComparisonResult:
    """Compare two builds.

    Args:
        before: the older one.
        after: the newer one.
        names: what to call them.
        seed: of the bootstrap.

    Raises:
        OptionError: for a negative seed.
    """
    check_seed(seed)
    one_each = all(len(_variants(build)) == 1 for build in (before, after))
    olds, news = (_by_key(build, by_target=one_each) for build in (before, after))
    others = one_each and _variants(before) != _variants(after)
    keys = tuple(dict.fromkeys((*olds, *news)))
    rows = tuple(_artifact(key, olds.get(key), news.get(key), seed=seed) for key in keys)
    return ComparisonResult(
        before=names[0], after=names[1], artifacts=rows, differences=_differences(before, after, others=others)
    )


def _variants(build: BuildResult) -> set[str]:
    return {row.variant for row in build.artifacts}


def _by_key(build: BuildResult, *, by_target: bool) -> dict[tuple[str, str], ArtifactRow]:
    """Artifacts by variant and target.

    The variant is left out where each build holds one, so that two variants can be compared target by target.
    """
    return {("" if by_target else row.variant, row.target): row for row in build.artifacts}


def _artifact(
    key: tuple[str, str], old: ArtifactRow | None, new: ArtifactRow | None, *, seed: int
) -> ArtifactComparison:
    before, after = (None if row is None else row.evaluation for row in (old, new))
    was, now = (None if row is None or row.latency is None else row.latency.latency_ms_p50 for row in (old, new))
    delta, patients = _delta(before, after, seed=seed)
    return ArtifactComparison(
        artifact=key[1],
        variant=" -> ".join(dict.fromkeys(row.label for row in (old, new) if row is not None)),
        size_bytes_before=None if old is None else old.size_bytes or None,
        size_bytes_after=None if new is None else new.size_bytes or None,
        dice_before=None if before is None else before.dice.mean,
        dice_after=None if after is None else after.dice.mean,
        dice_delta=delta,
        patients=patients,
        latency_ms_p50_before=was,
        latency_ms_p50_after=now,
        latency_ratio=None if was is None or now is None else now / was,
        status_before=None if old is None else old.status,
        status_after=None if new is None else new.status,
        same_file=old is not None and new is not None and old.sha256 == new.sha256 != "",
        clinical=clinical_change(before, after) if before is not None and after is not None and patients else None,
        classes=_by_class(before, after, seed=seed) if before is not None and after is not None and patients else (),
    )


def _delta(before: EvalResult | None, after: EvalResult | None, *, seed: int) -> tuple[Interval | None, int]:
    """The paired difference over the patients that both scored, of the same classes, and how many these are."""
    if before is None or after is None or before.data != after.data or _classes(before) != _classes(after):
        return None, 0
    was = {score.patient: score.dice for score in before.patients}
    pairs = [(score.dice, was[score.patient]) for score in after.patients if score.patient in was]
    if not pairs:
        return None, 0
    return paired_interval([new for new, _ in pairs], [old for _, old in pairs], seed=seed), len(pairs)


def _by_class(before: EvalResult, after: EvalResult, *, seed: int) -> tuple[ClassComparison, ...]:
    """Compare each class, of evaluations of the same ones, over the patients that both scored."""
    was = {score.patient: score.classes for score in before.patients}
    both = [(was[score.patient], score.classes) for score in after.patients if score.patient in was]
    if not all(len(old) == len(new) == len(after.classes) for old, new in both):
        return ()
    found = []
    for place, one in enumerate(after.classes):
        old, new = ([side[place].dice for side in sides] for sides in zip(*both, strict=True))
        delta = paired_interval(new, old, seed=seed)
        found.append(ClassComparison(name=one.name, dice_before=fmean(old), dice_after=fmean(new), dice_delta=delta))
    return tuple(found)


def _classes(scores: EvalResult) -> tuple[str, ...]:
    return tuple(one.name for one in scores.classes)


def _scored(build: BuildResult) -> str:
    """Name the classes that the artifacts of a build were scored on."""
    found = sorted({", ".join(_classes(row.evaluation)) for row in build.artifacts if row.evaluation is not None})
    return "; ".join(names or "one class" for names in found)


def _differences(before: BuildResult, after: BuildResult, *, others: bool) -> tuple[str, ...]:
    facts = (
        ("weights", before.weights_sha256[:12], after.weights_sha256[:12]),
        ("data", before.data, after.data),
        ("classes", _scored(before), _scored(after)),
        ("threshold and post-processing", _points(before), _points(after)),
        ("calibration", before.calibration or "none", after.calibration or "none"),
        ("processor", before.environment.cpu, after.environment.cpu),
        ("int8 kernels", before.environment.int8_kernels, after.environment.int8_kernels),
        ("versions", _versions(before, after), _versions(after, before)),
    )
    found = [f"{name}: {old} -> {new}" for name, old, new in facts if old != new]
    if others:
        found.append("the builds are of different variants; artifacts are compared target by target")
    return tuple(found)


def _points(build: BuildResult) -> str:
    """Say at which operating points the artifacts of a build were scored."""
    scored = [row.evaluation for row in build.artifacts if row.evaluation is not None]
    found = dict.fromkeys(
        f"threshold {one.threshold:g}, {one.post_processing.describe(volume=True)}"
        + (f", {one.passes} passes" if one.passes > 1 else "")
        for one in scored
    )
    return "; ".join(found) or "nothing scored"


def _versions(build: BuildResult, other: BuildResult) -> str:
    """Name the versions in which a build differs from another."""
    mine, theirs = build.environment.versions, other.environment.versions
    return ", ".join(f"{name} {version}" for name, version in mine.items() if theirs.get(name) != version) or "same"
