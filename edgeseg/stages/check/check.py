"""Hold a build against a committed baseline: contract, size, Dice per patient, and latency as a ratio."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeseg import artifacts
from edgeseg.errors import ArtifactError, OptionError
from edgeseg.metrics import lower_bound
from edgeseg.results import BaselineArtifact, CheckBaseline, CheckCase, CheckResult, EvalResult
from edgeseg.stages.check.baseline import class_dice_of, dice_of, dice_problem, latency_ratio
from edgeseg.stages.check.inputs import CheckedArtifact, fields_of, said_of, sound
from edgeseg.stages.check.subgroups import MIN_SUBGROUP, RULE, Subgroups, subgroup_case
from edgeseg.stages.check.trust import TrustRules, trust_cases

_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLimits:
    """How much worse than its baseline an artifact may be.

    `max_dice_drop` is of the mean over patients, `max_size_growth` a share of the size, `max_latency_ratio` how many
    times its baseline the latency over the reference's may be; None leaves latency unchecked. `max_subgroup_drop` is of
    the mean over the patients of one subgroup, of those of at least `min_subgroup` patients; None leaves them
    unchecked.
    """

    max_dice_drop: float = 0.005
    max_size_growth: float = 0.02
    max_latency_ratio: float | None = None
    max_subgroup_drop: float | None = None
    min_subgroup: int = MIN_SUBGROUP

    def __post_init__(self) -> None:
        """Refuse limits that mean nothing."""
        if not 0.0 <= self.max_dice_drop <= 1.0:
            raise OptionError(f"max-dice-drop is {self.max_dice_drop}; a loss of Dice lies in [0, 1]")
        if not (math.isfinite(self.max_size_growth) and self.max_size_growth >= 0.0):
            raise OptionError(f"max-size-growth is {self.max_size_growth}; a share such as 0.02 is needed")
        ratio = self.max_latency_ratio
        if ratio is not None and not (math.isfinite(ratio) and ratio > 0.0):
            raise OptionError(f"max-latency-ratio is {ratio}; a positive number such as 1.5 is needed")
        drop = self.max_subgroup_drop
        if drop is not None and not 0.0 <= drop <= 1.0:
            raise OptionError(f"max-subgroup-drop is {drop}; a loss of Dice lies in [0, 1]")
        if self.min_subgroup < 1:
            raise OptionError(f"min-subgroup is {self.min_subgroup}; a subgroup has at least 1 patient")


def check(
    found: Mapping[str, CheckedArtifact],
    baseline: CheckBaseline,
    place: Path,
    limits: CheckLimits,
    *,
    seed: int = 0,
    only: frozenset[str] | None = None,
    subgroups: Subgroups | None = None,
    trust: TrustRules | None = None,
) -> CheckResult:
    """Hold artifacts against a baseline.

    Args:
        found: what was built, by name.
        baseline: what it was.
        place: of the baseline, for messages.
        limits: how much worse it may be.
        seed: of the bootstrap.
        only: the artifacts to check where single files were given; None for all of the baseline.
        subgroups: by what patients are parted where `limits` holds subgroups; by site unless given.
        trust: how what is promised of masks and inputs is held; by the records of networks by name unless given.

    Raises:
        ArtifactError: when an artifact of the baseline was not built.
        DatasetError: when the table of subgroups does not hold the patients scored.
        OptionError: when a record of trust is for none of the builds, or cannot be read.
    """
    wanted = [item for item in baseline.artifacts if only is None or item.artifact in only]
    if absent := [item.artifact for item in wanted if item.artifact not in found]:
        raise ArtifactError(
            f"{place} holds {', '.join(absent)} and the build does not; build it too, or take it out of the baseline "
            "with --update"
        )
    cases: list[CheckCase] = []
    for then in wanted:
        cases += _artifact_cases(found, then, baseline, limits, seed)
        if limits.max_subgroup_drop is not None:
            cases.append(_subgroup(found[then.artifact], then, limits, subgroups or Subgroups(), seed))
    known = {item.artifact for item in baseline.artifacts}
    for name in (name for name in found if name not in known and (only is None or name in only)):
        detail = "the baseline does not hold it; add it with --update"
        cases.append(CheckCase(artifact=name, rule="baseline", passed=False, detail=detail))
    if not cases:
        raise ArtifactError("nothing was checked: the build and the baseline name no artifact")
    held = [item for name, item in found.items() if only is None or name in only]
    cases += trust_cases(held, trust or TrustRules(), baseline.trust or {})
    return CheckResult(
        baseline=str(place),
        reason=baseline.reason,
        passed=all(case.passed for case in cases),
        cases=tuple(cases),
        baseline_environment=baseline.environment,
        environment=next(iter(found.values())).build.environment,
        bootstrap_seed=seed,
    )


def _artifact_cases(
    found: Mapping[str, CheckedArtifact],
    then: BaselineArtifact,
    baseline: CheckBaseline,
    limits: CheckLimits,
    seed: int,
) -> Iterable[CheckCase]:
    item = found[then.artifact]
    yield _status(item)
    yield _file(item)
    yield _contract(item, then)
    yield _size(item, then, limits.max_size_growth)
    yield _dice_case(item, then, limits.max_dice_drop, seed)
    yield from _class_cases(item, then, limits.max_dice_drop, seed)
    if limits.max_latency_ratio is not None and then.artifact != baseline.latency_reference:
        now = latency_ratio(found, then.artifact, baseline.latency_reference)
        yield _latency(then, now, baseline.latency_reference, limits.max_latency_ratio)


def _status(item: CheckedArtifact) -> CheckCase:
    return CheckCase(
        artifact=item.name, rule="status", passed=sound(item.row), detail=f"the build says: {said_of(item.row)}"
    )


def _file(item: CheckedArtifact) -> CheckCase:
    if item.path is None:
        return CheckCase(artifact=item.name, rule="file", passed=False, detail="the build left no file")
    same = artifacts.sha256_file(item.path) == item.row.sha256
    detail = "is the file that the build measured" if same else "was changed after the build measured it; build again"
    return CheckCase(artifact=item.name, rule="file", passed=same, detail=detail)


def _contract(item: CheckedArtifact, then: BaselineArtifact) -> CheckCase:
    fields = fields_of(item)
    if isinstance(fields, str):
        return CheckCase(artifact=item.name, rule="contract", passed=False, detail=fields)
    names = dict.fromkeys((*then.contract, *fields))
    changed = [f"{n} {then.contract.get(n)} -> {fields.get(n)}" for n in names if then.contract.get(n) != fields.get(n)]
    detail = f"changed: {'; '.join(changed)}" if changed else f"unchanged in {len(fields)} fields"
    return CheckCase(artifact=item.name, rule="contract", passed=not changed, detail=detail)


def _size(item: CheckedArtifact, then: BaselineArtifact, limit: float) -> CheckCase:
    now = 0 if item.path is None else item.path.stat().st_size
    growth = now / then.size_bytes - 1.0 if then.size_bytes else math.inf
    return CheckCase(
        artifact=item.name,
        rule="size",
        passed=item.path is not None and growth <= limit,
        detail=f"{then.size_bytes:,} -> {now:,} bytes, {100 * growth:+.1f} %; at most {100 * limit:+g} %",
        baseline=float(then.size_bytes),
        now=float(now),
        limit=limit,
    )


def _dice_case(item: CheckedArtifact, then: BaselineArtifact, limit: float, seed: int) -> CheckCase:
    scores = item.row.evaluation
    problem = "it was not scored" if scores is None else _other_patients(then, scores)
    if scores is None or problem is not None:
        return CheckCase(artifact=item.name, rule="dice", passed=False, detail=str(problem), limit=limit)
    over = f"{len(scores.classes)} classes and " if scores.classes else ""
    return _drop_case(item.name, "dice", then.dice, dice_of(scores), limit, seed, over=over)


def _class_cases(item: CheckedArtifact, then: BaselineArtifact, limit: float, seed: int) -> Iterable[CheckCase]:
    """Hold each class to the same limit, where the baseline has its scores and the patients are the same."""
    scores = item.row.evaluation
    if scores is None or then.class_dice is None or _other_patients(then, scores) is not None:
        return
    now = class_dice_of(scores) or {}
    for name, before in then.class_dice.items():
        if name in now:
            yield _drop_case(item.name, f"dice {name}", before, now[name], limit, seed)
        else:
            detail = "the class is not scored now; build with the same classes"
            yield CheckCase(artifact=item.name, rule=f"dice {name}", passed=False, detail=detail, limit=limit)


def _drop_case(
    artifact: str,
    rule: str,
    before: Mapping[str, float],
    now: Mapping[str, float],
    limit: float,
    seed: int,
    *,
    over: str = "",
) -> CheckCase:
    """Hold the mean change of Dice over the same patients to a limit."""
    change = {patient: now[patient] - before[patient] for patient in before}
    mean, bound = float(np.mean(list(change.values()))), lower_bound(list(change.values()), seed=seed)
    worst = min(change, key=lambda patient: change[patient])
    detail = (
        f"mean {mean:+.4f} over {over}{len(change)} patients (95 % sure of {bound:+.4f} or more), may fall by "
        f"{limit:g}; worst {worst} {change[worst]:+.4f}"
    )
    return CheckCase(
        artifact=artifact,
        rule=rule,
        passed=-mean <= limit,
        detail=detail,
        baseline=float(np.mean(list(before.values()))),
        now=float(np.mean(list(now.values()))),
        limit=limit,
        bound=bound,
    )


def _subgroup(
    item: CheckedArtifact, then: BaselineArtifact, limits: CheckLimits, subgroups: Subgroups, seed: int
) -> CheckCase:
    assert limits.max_subgroup_drop is not None
    scores, limit = item.row.evaluation, limits.max_subgroup_drop
    problem = "it was not scored" if scores is None else _other_patients(then, scores)
    if scores is None or problem is not None:
        return CheckCase(artifact=item.name, rule=RULE, passed=False, detail=str(problem), limit=limit)
    now, grouping = dice_of(scores), subgroups.of(scores)
    return subgroup_case(item.name, then, now, grouping, limit=limit, min_patients=limits.min_subgroup, seed=seed)


def _other_patients(then: BaselineArtifact, scores: EvalResult) -> str | None:
    """Say how the scored patients differ from the baseline's; None where they do not."""
    if scores.data != then.data:
        return f"scored on {scores.data}, and the baseline on {then.data}; build with the same data"
    if problem := dice_problem(dice_of(scores)):
        return problem
    now = {score.patient for score in scores.patients}
    sides = (("not scored now", set(then.dice) - now), ("not in the baseline", now - set(then.dice)))
    said = [f"{len(names)} {what}: {_some(names)}" for what, names in sides if names]
    return None if not said else f"other patients than the baseline's: {'; '.join(said)}"


def _latency(then: BaselineArtifact, now: float | None, reference: str, limit: float) -> CheckCase:
    if now is None or then.latency_ratio is None:
        where = "the build" if now is None else "the baseline"
        detail = f"{where} did not time it beside {reference}, so there is no ratio to compare"
        return CheckCase(artifact=then.artifact, rule="latency", passed=False, detail=detail, limit=limit)
    growth = now / then.latency_ratio
    return CheckCase(
        artifact=then.artifact,
        rule="latency",
        passed=growth <= limit,
        detail=f"{then.latency_ratio:.3f} -> {now:.3f} of {reference}'s, x {growth:.2f}; at most x {limit:g}",
        baseline=then.latency_ratio,
        now=now,
        limit=limit,
    )


def _some(names: set[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:_NAMED]) + (" ..." if len(listed) > _NAMED else "")
