"""What holds the out-of-fold Dice down: networks together, the slices known, the threshold known, a pixel of outline.

Each patient is scored by the networks that never saw them, at threshold 0.5 and without post-processing, and then as if
something were known that no device can know. What remains after that is what better choices alone cannot win. The last
row scores the reference against itself, grown by one pixel all around: what a pixel of disagreement costs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.backend import load_keras
from edgeseg.data.cache import SliceCache, cached, folder_key
from edgeseg.data.open import open_dataset
from edgeseg.errors import EdgeSegError
from edgeseg.jsonio import from_json
from edgeseg.metrics import bootstrap_interval, count_overlap, paired_interval
from edgeseg.reports.table import markdown_table_lines, splice
from edgeseg.reports.words import interval_text
from edgeseg.results import OutOfFoldResult
from edgeseg.stages.folds import check_data, find_runs, held_out_logits

LOW = 0.6
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
TOGETHER, SLICES, THRESHOLD, GROWN = (
    "all of them, their mean probability",
    "the same, only on slices that the reference marks",
    "the same, each patient at their own best threshold",
    "the reference, grown by one pixel",
)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folds", nargs="+", type=Path, help="folders of 'edgeseg train --folds' on one split")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="where decoded slices are kept")
    parser.add_argument("--backend", default="tensorflow")
    parser.add_argument(
        "--before", type=Path, metavar="FILE", help="an out-of-fold.json on the same patients, as a row"
    )
    parser.add_argument("--into", type=Path, metavar="FILE", help="put the table between the marks of a Markdown file")
    options = parser.parse_args()
    try:
        load_keras(options.backend)
        slices = cached(open_dataset(options.data), folder_key(options.data), root=options.cache)
        scores, patients = _scores(options.folds, slices)
        if options.before is not None:
            scores[f"{options.before.name} (before)"] = _before(options.before, patients)
        table = f"{_table(scores)}\n\n{_lowest(scores[TOGETHER], patients)}"
        if options.into is not None:
            splice(table, options.into)
    except EdgeSegError as error:
        sys.exit(f"error: {error}")
    print(table)


def _table(scores: dict[str, list[float]]) -> str:
    first = next(iter(scores.values()))
    rows = (
        (
            name,
            interval_text(bootstrap_interval(values, seed=0)),
            f"{np.median(values):.3f}",
            interval_text(None if values is first else paired_interval(values, first, seed=0), signed=True),
        )
        for name, values in scores.items()
    )
    return "\n".join(markdown_table_lines(("what", "Dice mean [95 %]", "median", "against the first row [95 %]"), rows))


def _lowest(values: list[float], patients: list[str]) -> str:
    """Name the patients that all networks together do badly on."""
    low = sorted((dice, patient) for dice, patient in zip(values, patients, strict=True) if dice < LOW)
    rest = [dice for dice in values if dice >= LOW]
    named = ", ".join(f"{patient} {dice:.2f}" for dice, patient in low)
    return (
        f"- Below {LOW:g} with all of them: {len(low)} of {len(values)} patients ({named}). "
        f"The mean of the others is {np.mean(rest):.3f}."
    )


def _scores(folders: list[Path], slices: SliceCache) -> tuple[dict[str, list[float]], list[str]]:
    """Each row's Dice of every patient, and the patients in the same order."""
    names = [f"{folder.name} ({find_runs(folder)[0].checkpoint.header.variant.slug})" for folder in folders]
    scores: dict[str, list[float]] = {name: [] for name in (*names, TOGETHER, SLICES, THRESHOLD, GROWN)}
    order: list[str] = []
    streams = [_probabilities(folder, slices) for folder in folders]
    for answers in zip(*streams, strict=True):
        patients = {patient for patient, _ in answers}
        if len(patients) > 1:
            sys.exit(f"error: {' and '.join(map(str, folders))} hold out other patients; give folds of one split")
        order.append(patients.pop())
        reference = np.asarray(slices.volume(order[-1]).reference)
        mean = np.mean([probabilities for _, probabilities in answers], axis=0, dtype=np.float32)
        marked = reference.any(axis=(1, 2))[:, np.newaxis, np.newaxis]
        for name, (_, probabilities) in zip(names, answers, strict=True):
            scores[name].append(count_overlap(probabilities > 0.5, reference).dice)
        scores[TOGETHER].append(count_overlap(mean > 0.5, reference).dice)
        scores[SLICES].append(count_overlap((mean > 0.5) & marked, reference).dice)
        scores[THRESHOLD].append(max(count_overlap(mean > t, reference).dice for t in THRESHOLDS))
        scores[GROWN].append(count_overlap(_grown(reference), reference).dice)
    return scores, order


def _before(path: Path, patients: list[str]) -> list[float]:
    result = from_json(OutOfFoldResult, path.read_bytes())
    dice = {entry.score.patient: entry.score.dice for entry in result.patients}
    if missing := sorted(set(patients) - set(dice)):
        sys.exit(f"error: {path} has no score of {missing[0]}; give a result on the same patients")
    return [dice[patient] for patient in patients]


def _probabilities(folder: Path, slices: SliceCache) -> Iterator[tuple[str, NDArray[np.float32]]]:
    runs = find_runs(folder)
    check_data(runs, slices)
    for run in runs:
        for patient, logits in held_out_logits(run, slices, flips="none"):
            yield patient, 1.0 / (1.0 + np.exp(-logits))


def _grown(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_dilation

    cross = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], np.bool_)
    grown: NDArray[np.bool_] = binary_dilation(masks, cross)
    return grown


if __name__ == "__main__":
    main()
