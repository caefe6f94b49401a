"""What a cross-validation found, drawn for a terminal of 80 columns."""

from __future__ import annotations

from rich.console import Group, RenderableType

from edgeseg.data.volume import PHANTOM
from edgeseg.reports.scores import ON_PHANTOMS, group_table, institution_table, remark_lines, shares_text
from edgeseg.reports.table import literal
from edgeseg.reports.words import interval_text
from edgeseg.results import OutOfFoldResult


def out_of_fold_table(result: OutOfFoldResult) -> RenderableType:
    """Draw the folds, the institutions, and the figures over all patients."""
    lesions, marked = shares_text([entry.score for entry in result.patients], percent=False)
    over_all = (
        f"Dice: mean {interval_text(result.dice)} (95 % over patients), median {result.dice_median:.3f}",
        f"lesions found: {lesions}; tumour-free slices marked: {marked}",
        f"threshold {result.threshold:g}, {result.numerics}, seed {result.seed}, {result.backend}",
    )
    title = f"{result.variant} on {result.data}, out of fold, n = {len(result.patients)} patient(s)"
    folds = ((str(f.fold), f.patients, f.dice_mean, f.dice_median) for f in result.folds)
    parts: list[RenderableType] = [group_table("Fold", folds), ""]
    if any(score.institution for score in result.institutions):
        parts += [institution_table(result.institutions), ""]
    parts += [literal(title, "bold"), *map(literal, over_all)]
    return Group(*parts, *remark_lines([ON_PHANTOMS] if result.data == PHANTOM else []))
