"""A choice of threshold and post-processing, drawn for a terminal of 80 columns."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Column

from edgeseg.reports.table import figures, literal, rich_table
from edgeseg.reports.words import ABSENT_ASCII, interval_text
from edgeseg.results import Choice, ChoiceStep
from edgeseg.specs import ClassPoint, OperatingPoint

_COLUMNS = (
    "plain: at 0.5, nothing dropped; components: small ones dropped, the post-processing; to plain: what is gained; "
    "FP: tumour-free slices with a false positive; lesions: found of all"
)


def choice_table(choice: Choice, *, written: Path, replaced: bool = False) -> RenderableType:
    """Draw what each way of choosing scores, what ships, and where; `replaced` says that a choice stood there."""
    first = Column("Chosen", overflow="fold", max_width=22)
    heads = figures("Dice mean [95 %]", "median", "to plain", "FP", "lesions")
    points: dict[str, ClassPoint | OperatingPoint] = {f"{one.name}: ": one for one in choice.chosen.classes}
    points = points or {"": choice.chosen}
    below = [
        f"to ship: {name}threshold {point.threshold:g}; volumes: {point.post_processing.describe(volume=True)}; "
        f"lone slices: {point.post_processing.describe(volume=False)}"
        for name, point in points.items()
    ]
    if choice.chosen.passes > 1:
        below.append(
            "The network sees each slice twice, once with left and right exchanged, which takes twice the time."
        )
    below.append(f"{'replaced' if replaced else 'written'}: {written}")
    if not choice.cap_met:
        below.append(
            f"No point keeps false positives to {100 * choice.max_fp_share:g} % of the tumour-free slices; the one "
            "with the fewest was taken."
        )
    return Group(
        literal(
            f"{choice.variant} on {choice.data}: each {choice.left_out} scored at what was chosen on the others, "
            f"n = {sum(len(group.patients) for group in choice.groups)} patients"
        ),
        rich_table((first, *heads), ((_label(step), *_figures(step)) for step in choice.steps)),
        literal(_COLUMNS, "dim"),
        *(
            part
            for one in choice.classes
            for part in (
                literal(one.name, "bold"),
                rich_table((first, *heads), ((_label(step), *_figures(step)) for step in one.steps)),
            )
        ),
        *map(literal, below),
    )


def _label(step: ChoiceStep) -> str:
    """Name a step in words that do not break in a column of eleven characters."""
    return step.name.replace("post-processing", "components")


def _figures(step: ChoiceStep) -> tuple[str, ...]:
    share = 100 * step.false_positive_slices / step.tumour_free_slices if step.tumour_free_slices else 0.0
    return (
        interval_text(step.dice),
        f"{step.dice_median:.3f}",
        ABSENT_ASCII if step.delta is None else interval_text(step.delta, signed=True, digits=4),
        f"{share:.1f} %",
        f"{step.lesions_found}/{step.lesions}",
    )
