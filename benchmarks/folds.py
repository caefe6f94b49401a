"""What compression does to every patient, out of fold: from the builds of folds, and beside trainings done anew.

Reads what `edgeseg build --from FOLDS` and `edgeseg train --folds` left; needs neither data nor weights. The first
build is the parent of the others. Trainings of the uncompressed network, in pairs, are a measure of what training anew
does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from edgeseg.artifacts import read_build
from edgeseg.errors import EdgeSegError
from edgeseg.jsonio import JsonFormatError, from_json
from edgeseg.metrics.clinical import NOTABLE_DICE, clinical_change
from edgeseg.reports.table import markdown_table_lines, splice
from edgeseg.reports.words import ABSENT, interval_text, size_text
from edgeseg.results import REFERENCE, ArtifactRow, BuildResult, ClinicalChange, EvalResult, OutOfFoldResult
from edgeseg.stages.score import result_of

COSTS = (
    "build", "artifact", "largest file", "Dice mean [95 %]", "median", "against float [95 %]", "largest loss to float",
    "lesions found", "tumour-free slices marked",
)  # fmt: skip
MOVES = ("from", "to", "patients", f"lose over {NOTABLE_DICE:g}", f"gain over {NOTABLE_DICE:g}", "largest loss")


def main() -> None:
    """Print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("builds", nargs="+", type=Path, help="build.json of folds, the parent's first")
    parser.add_argument("--trainings", nargs="*", type=Path, default=[], help="out-of-fold.json of the same patients")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put the tables between the marks of a Markdown file")
    options = parser.parse_args()
    try:
        builds = {path.stem: _build(path) for path in options.builds}
        trainings = {path.stem: _training(path) for path in options.trainings}
        tables = "\n".join(
            (
                *markdown_table_lines(COSTS, costs(builds)),
                "",
                *markdown_table_lines(MOVES, moves(builds, trainings)),
            )
        )
        if options.into is not None:
            splice(tables, options.into)
    except EdgeSegError as error:
        sys.exit(f"error: {error}")
    print(tables)


def costs(builds: dict[str, BuildResult]) -> Iterator[tuple[str, ...]]:
    """One row for each artifact that was scored, against the float network of its build."""
    for name, build in builds.items():
        floats = _scored(build)[REFERENCE]
        for row, found in _rows(build):
            change = clinical_change(floats, found)
            lost = None if row.target == REFERENCE or change is None else change
            yield (
                name,
                f"`{row.target}`",
                size_text(row.size_bytes),
                interval_text(found.dice, mark=" "),
                f"{found.dice_median:.3f}",
                interval_text(row.dice_delta_to_float, signed=True),
                ABSENT if lost is None else _worst(lost),
                f"{sum(p.lesions_found for p in found.patients)} of {sum(p.lesions for p in found.patients)}",
                f"{100 * (found.false_positive_slice_rate or 0.0):.1f} %",
            )


def moves(builds: dict[str, BuildResult], trainings: dict[str, EvalResult]) -> Iterator[tuple[str, ...]]:
    """One row for each artifact of a build against the parent's, and one for each pair of trainings."""
    (parent, first), *others = builds.items()
    for name, build in others:
        for target, found in _scored(build).items():
            if target in _scored(first):
                yield _moved(f"{parent} `{target}`", f"{name} `{target}`", _scored(first)[target], found)
    for (name, before), (other, after) in combinations(trainings.items(), 2):
        yield _moved(name, other, before, after)


def _moved(name: str, other: str, before: EvalResult, after: EvalResult) -> tuple[str, ...]:
    change = clinical_change(before, after)
    if change is None:
        sys.exit(f"error: {name} and {other} scored no patient in common; give results on the same patients")
    cells = (change.patients, change.patients_lower, change.patients_higher, _worst(change))
    return name, other, *map(str, cells)


def _worst(change: ClinicalChange) -> str:
    return f"{change.worst_dice_after - change.worst_dice_before:+.4f}"


def _rows(build: BuildResult) -> Iterator[tuple[ArtifactRow, EvalResult]]:
    return ((row, row.evaluation) for row in build.artifacts if row.evaluation is not None)


def _scored(build: BuildResult) -> dict[str, EvalResult]:
    return {row.target: found for row, found in _rows(build)}


def _build(path: Path) -> BuildResult:
    found = read_build(path)
    variants = sorted({row.variant for row in found.artifacts})
    if len(variants) > 1:
        sys.exit(f"error: {path} holds {', '.join(variants)}; give builds of one variant each")
    return found


def _training(path: Path) -> EvalResult:
    try:
        found = from_json(OutOfFoldResult, path.read_bytes())
    except (OSError, JsonFormatError) as error:
        sys.exit(f"error: cannot read {path} ({error}); give the out-of-fold.json of 'edgeseg train --folds'")
    scores = [entry.score for entry in found.patients]
    return result_of(
        scores, artifact=found.variant, data=found.data, threshold=found.threshold, numerics=found.numerics
    )


if __name__ == "__main__":
    main()
