"""How well a network knows where it is wrong: the answer first, then tables for a terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Column

from edgeseg.reports.table import figures, literal, markdown_table_lines, rich_table
from edgeseg.reports.words import ABSENT_ASCII
from edgeseg.results import POOR_BELOW, FlagAgreement, TrustFigures, TrustPatient, TrustResult

_POOREST, _NARROW = 10, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def trust_table(result: TrustResult, *, written: Path) -> RenderableType:
    """Draw what was found for a terminal of 80 columns."""
    parts: list[RenderableType] = [literal(line) for line in _answer(result)]
    for table in _tables(result):
        first = Column(table.heads[0], overflow="fold", max_width=30)
        gap = 1 if len(table.heads) > _NARROW else 2
        parts.append(rich_table((first, *figures(*table.heads[1:], wrap=True)), table.rows, title=table.title, gap=gap))
    return Group(*parts, literal(f"written: {written}"))


def trust_markdown(result: TrustResult) -> str:
    """Return the same in Markdown."""
    lines = [" ".join(_answer(result))]
    for table in _tables(result):
        lines += ["", f"## {table.title}", "", *markdown_table_lines(table.heads, table.rows)]
    return "\n".join(lines)


def _answer(result: TrustResult) -> list[str]:
    found, numbers = result.figures, result.numbers
    below = "" if result.classes else f" (expected Dice below {numbers[0].look_below:.2f})"
    have = "has" if found.poor == 1 else "have"
    lines = [
        f"{result.variant}: of {found.patients} patients of {result.data}, {found.poor} {have} a Dice below "
        f"{POOR_BELOW:g}; {found.poor_flagged} of these and {found.good_flagged} of the other "
        f"{found.patients - found.poor} are flagged{below}.",
        f"Each {result.left_out} is scored by numbers that were fitted on the others.",
    ]
    if result.classes:
        lines.append("A patient's Dice is the mean of the masks, and one flagged mask flags the patient.")
    if result.without:
        names = ", ".join(result.without)
        lines.append(f"Nothing could be fitted for {names}: it is drawn in too few patients, or groups of them.")
    if not result.classes and (found.patients != numbers[0].patients or result.own):
        lines.append(f"The numbers come from {numbers[0].patients} patients, drawn by {numbers[0].network}.")
    if (inputs := result.inputs) is not None:
        lines.append(
            f"Of inputs that were made odd on purpose {inputs.told} of {inputs.made_odd} are told, and of "
            f"{inputs.patients} as they are {inputs.false_alarms}, by what was learned from other patients"
            f"{'' if result.unseen else ' that trained the network'}."
        )
    else:
        lines.append("It tells no odd inputs: there were too few patients to learn from what inputs look like.")
    if result.unseen:
        lines.append("That the network learned from none of these patients is the user's word.")
    return lines


def _tables(result: TrustResult) -> Iterable[_Table]:
    columns = [("left out", result.figures), *([("own patients", result.own)] if result.own else [])]
    yield _knowledge("Does the network know?", columns)
    if result.classes:
        yield _knowledge("Each mask by itself", [(one.name, one.figures) for one in result.classes])
    yield _deferral(columns)
    yield from _reliability(result)
    yield _patients("The patients with the least Dice", result.patients)
    for one in result.classes:
        yield _patients(f"The patients with the least Dice of {one.name}", one.patients)
    if result.int8 is not None:
        yield _agreement(result.int8)


def _knowledge(title: str, columns: Sequence[tuple[str, TrustFigures]]) -> _Table:
    return _Table(
        title=title,
        heads=("", *(name for name, _ in columns)),
        rows=tuple(
            (name, *(cell(found) for _, found in columns))
            for name, cell in (
                ("patients", lambda one: str(one.patients)),
                (f"Dice below {POOR_BELOW:g}", lambda one: str(one.poor)),
                (f"AUROC of Dice below {POOR_BELOW:g}", lambda one: _number(one.auroc_poor)),
                ("Spearman with the true Dice", lambda one: _number(one.spearman)),
                ("of the poor, flagged", lambda one: f"{one.poor_flagged}/{one.poor}"),
                ("of the others, flagged", lambda one: f"{one.good_flagged}/{one.patients - one.poor}"),
                ("true volume in its interval", _covered),
                ("median width of the interval", lambda one: _share(one.volume_width_median)),
            )
        ),
    )


def _agreement(agreed: FlagAgreement) -> _Table:
    return _Table(
        title="int8 against float",
        heads=("file", "patients", "same flag", "expected Dice off by at most", "learned from"),
        rows=(
            (
                agreed.artifact,
                str(agreed.patients),
                str(agreed.same_flag),
                f"{agreed.dice_expected_off_max:.3f}",
                str(agreed.learned_from),
            ),
        ),
    )


def _deferral(columns: Sequence[tuple[str, TrustFigures]]) -> _Table:
    rows = zip(*(one.deferral for _, one in columns), strict=True)
    return _Table(
        title="Mean Dice of what is kept",
        heads=("given to a person", *(name for name, _ in columns)),
        rows=tuple(
            (f"{row[0].deferred_share:.0%}", *(f"{one.dice_mean:.3f} ({one.kept})" for one in row)) for row in rows
        ),
    )


def _reliability(result: TrustResult) -> Iterable[_Table]:
    found = result.reliability
    yield _Table(
        title="Do probabilities mean what they say?",
        heads=("", "as given", "scaled"),
        rows=(("expected calibration error", f"{found.error_before:.3f}", f"{found.error_after:.3f}"),),
    )
    for title, bins in (("Reliability as given", found.before), ("Reliability of scaled probabilities", found.after)):
        yield _Table(
            title=title,
            heads=("probability", "share of tumour", "pixels"),
            rows=tuple((f"{one.probability_mean:.2f}", f"{one.tumour_share:.2f}", str(one.pixels)) for one in bins),
        )


def _patients(title: str, patients: Sequence[TrustPatient]) -> _Table:
    poorest = sorted(patients, key=lambda one: one.dice)[:_POOREST]
    return _Table(
        title=title,
        heads=("patient", "Dice", "expected", "flagged", "volume, px", "interval", "true"),
        rows=tuple(
            (
                one.patient,
                f"{one.dice:.2f}",
                ABSENT_ASCII if one.dice_expected is None else f"{one.dice_expected:.2f}",
                "yes" if one.look else "no",
                str(one.volume_px),
                ABSENT_ASCII
                if one.volume_low_px is None or one.volume_high_px is None
                else f"{one.volume_low_px:.0f} to {one.volume_high_px:.0f}",
                str(one.reference_px),
            )
            for one in poorest
        ),
    )


def _covered(one: TrustFigures) -> str:
    share = f" ({one.volume_covered / one.volume_intervals:.0%})" if one.volume_intervals else ""
    return f"{one.volume_covered}/{one.volume_intervals}{share}"


def _number(value: float | None) -> str:
    return ABSENT_ASCII if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    return ABSENT_ASCII if value is None else f"{value:.0%} of the volume"
