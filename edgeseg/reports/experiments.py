"""The tables of an ablation in Markdown: per question, each row against the base on the same patients and seeds."""

from __future__ import annotations

from dataclasses import fields
from statistics import fmean, median, stdev
from typing import Any

from edgeseg.metrics import bootstrap_interval, paired_interval
from edgeseg.reports.table import markdown_table_lines
from edgeseg.reports.words import ABSENT, interval_text
from edgeseg.results import ExperimentLog, Interval, Outcome
from edgeseg.specs import BASE, ExperimentRow, Plan, Scoring, TrainSpec, VariantSpec

BOOTSTRAP_SEED = 0
HEAD = (
    "row", "what differs", "seeds", "Dice mean [95 %]", "median", "against base [95 %]", "verdict",
    "false-positive slices", "training, min", "M params, G MACs",
)  # fmt: skip


def markdown(plan: Plan, log: ExperimentLog) -> str:
    """Return a heading and a table per question, without rows that were not run, and the noise between seeds."""
    base = _outcomes(plan.base, log)
    if not base:
        return "No row of the plan has been run yet."
    held_out = len(base[0].patients)
    lines = [
        f"{base[0].train_patients} patients of {log.data} to learn from, {held_out} held out (folds "
        f"{', '.join(map(str, plan.held_out_folds))}), {_length(base[0].train)}, {base[0].backend}. "
        f"{_noise(base)}",
        "",
        "## Base",
        "",
        *markdown_table_lines(HEAD, [_cells(plan.base, base, base, floor=None)]),
    ]
    for question in plan.questions:
        rows = [(row, found) for row in question.rows if (found := _outcomes(row, log))]
        if not rows:
            continue
        cells = (_cells(row, found, base, floor=_floor(base, found)) for row, found in rows)
        lines += ["", f"## {question.title}", "", *markdown_table_lines(HEAD, cells)]
    return "\n".join(lines)


def _length(spec: TrainSpec) -> str:
    steps = "" if spec.steps_per_epoch is None else f" of {spec.steps_per_epoch} steps"
    return f"{spec.epochs} epochs{steps}"


def _outcomes(row: ExperimentRow, log: ExperimentLog) -> list[Outcome]:
    return [found for seed in row.seeds if (found := log.of(row.name, seed)) is not None]


def _noise(base: list[Outcome]) -> str:
    if len(base) < 2:
        return "One seed of the base: what differs from it by chance is not known."
    means = [fmean(p.dice for p in outcome.patients) for outcome in base]
    return (
        f"{len(base)} seeds of the base gave means of {', '.join(f'{m:.3f}' for m in means)}, a standard deviation of "
        f"{stdev(means):.3f} between seeds."
    )


def _floor(base: list[Outcome], row: list[Outcome]) -> float | None:
    """Return twice the standard deviation that chance alone gives a difference to the base; None if unknown."""
    if len(base) < 2 or row[0].train == base[0].train:
        return None
    spread = stdev([fmean(p.dice for p in outcome.patients) for outcome in base])
    return float(2.0 * spread * (1.0 / len(base) + 1.0 / len(row)) ** 0.5)


def _cells(row: ExperimentRow, found: list[Outcome], base: list[Outcome], *, floor: float | None) -> tuple[str, ...]:
    own = _per_patient(found)
    interval = bootstrap_interval(own, seed=BOOTSTRAP_SEED)
    against, verdict = ABSENT, ABSENT
    if row.name != BASE:
        shared = {o.seed for o in found} & {o.seed for o in base}
        other = [o for o in base if o.seed in shared] if row.of else base
        difference = paired_interval(own, _per_patient(other or base), seed=BOOTSTRAP_SEED)
        against, verdict = interval_text(difference, signed=True), _verdict(difference, floor)
    free = sum(p.tumour_free_slices for o in found for p in o.patients)
    wrong = sum(p.false_positive_slices for o in found for p in o.patients)
    return (
        row.name,
        _differs(row, found[0], base[0]),
        str(len(found)),
        interval_text(interval),
        f"{median(own):.3f}",
        against,
        verdict,
        f"{100 * wrong / free:.1f} %" if free else ABSENT,
        f"{fmean(o.train_s for o in found) / 60:.1f}",
        f"{found[0].parameters / 1e6:.2f}, {found[0].macs / 1e9:.2f}",
    )


def _per_patient(outcomes: list[Outcome]) -> list[float]:
    """Return each patient's Dice, the mean over seeds."""
    return [fmean(scores) for scores in zip(*([p.dice for p in o.patients] for o in outcomes), strict=True)]


def _verdict(difference: Interval, floor: float | None) -> str:
    if difference.low <= 0.0 <= difference.high:
        return "within noise (patients)"
    if floor is not None and abs(difference.mean) < floor:
        return "within noise (seeds)"
    return "better" if difference.mean > 0 else "worse"


def _differs(row: ExperimentRow, found: Outcome, base: Outcome) -> str:
    changes = [] if row.mean_of else _changes(found.train, base.train)
    names = [f"{name} {_show(value)}" for name, value in changes if name not in ("teachers", "initial")]
    names += [
        f"{name} {_show(value)}" for name, value in _changes(found.score, Scoring()) if row.of or row.name == BASE
    ]
    names += [f"from {', '.join(row.teachers)}"] if row.teachers else []
    names += [f"on from {row.start}"] if row.start else []
    names += [f"mean of {', '.join(row.mean_of)}"] if row.mean_of else []
    return ", ".join(names) or ABSENT


def _changes(own: Any, other: Any) -> list[tuple[str, Any]]:
    return [
        (f.name.replace("_", " "), getattr(own, f.name))
        for f in fields(own)
        if getattr(own, f.name) != getattr(other, f.name) and f.name != "seed"
    ]


def _show(value: Any) -> str:
    return value.slug if isinstance(value, VariantSpec) else str(value)
