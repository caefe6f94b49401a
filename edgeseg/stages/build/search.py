"""The search for the cheapest int8 file whose loss of Dice stays within a budget: searched here, confirmed there.

Half of the patients that a build may score decide which recipe is taken, the other half says whether it holds. What
is tried comes in the order of its cost, so the first recipe that holds is the cheapest.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg import artifacts
from edgeseg.checkpoint import Checkpoint
from edgeseg.data.split import deal, describe
from edgeseg.data.volume import Dataset, volumes
from edgeseg.errors import OptionError
from edgeseg.metrics import lower_bound, paired_interval
from edgeseg.place import scratch
from edgeseg.results import BudgetResult, DiceDrop, EvalResult, SensitivityResult, TriedPoint
from edgeseg.stages.calibrate import RecordedRanges
from edgeseg.stages.ledger import Ledger
from edgeseg.targets import Target
from edgeseg.targets.histograms import METHODS

LADDER = (1, 2, 4, 8)
"""How many of the worst layers stay in float, one rung after another."""
MIN_PATIENTS = 4
"""A search needs at least two patients on either side."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """One way to an int8 file.

    Attributes:
        recipe: what it is, in a few words; unique within a search.
        ranges: of every layer's output.
        float_layers: layers that stay in float.
        checkpoint: its weights, where they are not those of the float parent, such as after training for int8.
    """

    recipe: str
    ranges: RecordedRanges
    float_layers: tuple[str, ...] = ()
    checkpoint: Checkpoint | None = None

    @property
    def weights_sha256(self) -> str | None:
        """Tells weights of its own apart."""
        return None if self.checkpoint is None else artifacts.sha256_file(self.checkpoint.path)


Convert = Callable[[Candidate, Path], object]
"""Writes a candidate's file at a path."""
Score = Callable[[Path, tuple[str, ...]], EvalResult]
"""Scores a file on patients."""


Known = Sequence[tuple[Candidate, TriedPoint]]
"""What was tried so far."""
Tries = Callable[[Known], Iterable[Candidate]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """The patients to search on and those to confirm on."""

    search: tuple[str, ...]
    confirm: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Searched:
    """A search: what to build, everything that was tried in the order of `result.tried`, and what was found."""

    chosen: Candidate
    candidates: tuple[Candidate, ...]
    result: BudgetResult


def halve(dataset: Dataset, patients: Sequence[str], *, seed: int) -> Halves:
    """Deal patients into two halves of like institutions and tumour volumes.

    Raises:
        OptionError: for fewer than `MIN_PATIENTS`.
    """
    if len(patients) < MIN_PATIENTS:
        raise OptionError(
            f"max-drop searches on half of the patients and confirms on the others, and there are {len(patients)} to "
            f"score; at least {MIN_PATIENTS} are needed, so give more, or leave the option out"
        )
    search, confirm = deal([describe(v) for v in volumes(dataset, tuple(patients))], folds=2, seed=seed)
    return Halves(search=search, confirm=confirm)


def candidates(
    known: Known,
    plain: RecordedRanges,
    *,
    other: Callable[[str], RecordedRanges] | None,
    ranked: Callable[[], SensitivityResult],
    more: Iterable[Candidate] = (),
) -> Iterator[Candidate]:
    """Give what to try, cheapest first: int8 by each calibration method, then the worst layers in float, then `more`.

    Layers stay in float beside the ranges of the method that lost least, since the two losses add up.

    Args:
        known: what was tried so far, which grows as candidates are taken.
        plain: the ranges that the build has.
        other: measures ranges by another method; None where there is nothing to measure on.
        ranked: measures the layers; called when int8 alone was not enough.
        more: what costs most to make, such as quantization-aware training; it is asked for last.
    """
    first = plain.activations.method
    yield Candidate(recipe=f"int8 ({first})", ranges=plain)
    for method in METHODS:
        if other is not None and method != first:
            yield Candidate(recipe=f"int8 ({method})", ranges=other(method))
    worst = [entry.layer for entry in ranked().worst_first()]
    best = min(known, key=lambda pair: pair[1].drop.bound)[0].ranges
    for count in sorted({min(count, len(worst)) for count in LADDER}):
        kept = tuple(worst[:count])
        name = f"{kept[0]} in float" if count == 1 else f"{count} layers in float"
        yield Candidate(recipe=f"int8 ({best.activations.method}), {name}", ranges=best, float_layers=kept)
    yield from more


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """How a candidate of one target is written, and scored against the float parent.

    Attributes:
        target: an int8 target.
        reference: the float parent's scores on all patients.
        convert: writes a candidate's file.
        score: scores a file.
        max_drop: how much mean Dice may be lost at most, as one-sided 95 % bound.
        seed: of the bootstrap.
        inputs: all that decides a score but candidate, patients and budget.
    """

    target: Target
    reference: EvalResult
    convert: Convert
    score: Score
    max_drop: float
    seed: int
    inputs: Sequence[Any]

    def run(self, candidate: Candidate, patients: tuple[str, ...]) -> tuple[DiceDrop, int, str]:
        """Return what is lost on patients, and the size and hash of the file."""
        with scratch("tried") as folder:
            path = folder / f"{self.target.name}{self.target.suffix}"
            self.convert(candidate, path)
            after = {p.patient: p.dice for p in self.score(path, patients).patients}
            before = {p.patient: p.dice for p in self.reference.patients}
            drop = dice_drop(after, before, seed=self.seed)
            return drop, path.stat().st_size, artifacts.sha256_file(path)

    def point(self, candidate: Candidate, patients: tuple[str, ...]) -> TriedPoint:
        """Try a candidate on the search patients."""
        drop, size, sha256 = self.run(candidate, patients)
        return TriedPoint(
            recipe=candidate.recipe,
            float_layers=candidate.float_layers,
            size_bytes=size,
            sha256=sha256,
            drop=drop,
            holds=drop.bound <= self.max_drop,
        )


def search(tries: Tries, halves: Halves, trial: Trial, ledger: Ledger) -> Searched:
    """Try candidates until the bound of one holds on the search patients, and score that one on the others.

    Args:
        tries: gives candidates in the order of cost from what is known so far; nothing is asked for beyond the first
            that holds.
        halves: who is searched and confirmed on.
        trial: writes and scores a candidate.
        ledger: takes over points that were tried before.

    Returns:
        What to build, what else was tried, and the search.
    """
    name = trial.target.name
    known: list[tuple[Candidate, TriedPoint]] = []
    for number, candidate in enumerate(tries(known), 1):
        asked = (*trial.inputs, _facts(candidate), halves.search, trial.reference, trial.max_drop, trial.seed)
        work = functools.partial(trial.point, candidate, halves.search)
        point = ledger.run(f"try {name} {number}", TriedPoint, work, inputs=asked)
        known.append((candidate, point))
        if point.holds:
            break
    chosen, best = min(known, key=lambda pair: (not pair[1].holds, pair[1].drop.bound))
    asked = (*trial.inputs, _facts(chosen), halves.confirm, trial.reference, trial.seed)
    confirmation = ledger.run(f"confirm {name}", DiceDrop, lambda: trial.run(chosen, halves.confirm)[0], inputs=asked)
    found = BudgetResult(
        target=name,
        max_drop=trial.max_drop,
        tried=tuple(point for _, point in known),
        chosen=chosen.recipe,
        found=best.holds,
        confirmation=confirmation,
        confirmed=best.holds and confirmation.bound <= trial.max_drop,
        seed=trial.seed,
    )
    return Searched(chosen=chosen, candidates=tuple(candidate for candidate, _ in known), result=found)


def dice_drop(after: dict[str, float], before: dict[str, float], *, seed: int) -> DiceDrop:
    """Return what is lost from `before` to `after`, over the patients of `after`; positive is a loss."""
    patients = sorted(after)
    earlier, later = [before[patient] for patient in patients], [after[patient] for patient in patients]
    mean = paired_interval(earlier, later, seed=seed).mean
    gained = [after[patient] - before[patient] for patient in patients]
    bound = -lower_bound(gained, seed=seed)
    return DiceDrop(patients=len(patients), mean=mean, bound=bound)


def _facts(candidate: Candidate) -> tuple[Any, ...]:
    return (candidate.recipe, candidate.ranges, candidate.float_layers, candidate.weights_sha256)
