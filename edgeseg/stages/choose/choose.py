"""Choosing threshold and post-processing on out-of-fold logits, and scoring the choice where it was not made.

Networks of a cross-validation never saw the patients that they are scored on. A threshold that is chosen on those
patients and scored on them again would still flatter itself; so it is chosen on all folds but one and scored on that
one, for each fold in turn, and what ships is chosen on all of them (Varma and Simon, BMC Bioinformatics 7:91, 2006).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.data.cache import SliceCache
from edgeseg.errors import DatasetError, OptionError
from edgeseg.imaging import logits_to_size
from edgeseg.jsonio import to_json
from edgeseg.metrics import BOOTSTRAP_SAMPLES, bootstrap_interval, median_bounds, paired_interval
from edgeseg.progress import Progress
from edgeseg.results import Choice, ChoiceGroup, ChoiceStep, Interval
from edgeseg.specs import Contract, OperatingPoint, check_flips, check_seed
from edgeseg.stages.calibrate import calibration_patients
from edgeseg.stages.choose.choice import CHOICE_FILE
from edgeseg.stages.choose.points import PatientPoints, PointTable, score_points, slice_points, volume_points
from edgeseg.stages.environment import versions
from edgeseg.stages.folds import FoldRun, check_data, find_runs, held_out_logits
from edgeseg.stages.predict import checkpoint_contract

PLAIN, SHIPPED = "plain", "threshold and post-processing"
DEFAULT_FLIPS = "hflip"
MAX_FP_SHARE = 0.05

_Allowed = Callable[[int], NDArray[np.bool_]]


def choose(
    out: Path,
    cache: SliceCache,
    *,
    flips: str = DEFAULT_FLIPS,
    max_fp_share: float = MAX_FP_SHARE,
    seed: int = 0,
    progress: Progress | None = None,
) -> Choice:
    """Choose the operating point of a network, and write it into `choice.json` in `out`.

    Args:
        out: the folder of the folds, or one run; see `find_runs`. A single run is nested by patient: each is scored at
            what was chosen on the others.
        cache: the slices that the runs were trained on.
        flips: the test-time flips whose worth is measured; they are no part of what ships.
        max_fp_share: at most this share of the tumour-free slices may hold a false positive, where any point does it.
        seed: of the bootstrap.
        progress: called with steps done and steps in all.

    Raises:
        OptionError: for unknown flips, a share outside [0, 1], or a negative seed.
        CheckpointError: when there are no finished runs, or they do not belong together.
        DatasetError: when the slices are not those of the runs, or there are fewer than two patients.
        OutputError: when a folder cannot be written.
    """
    check_flips(flips)
    check_seed(seed)
    if not 0.0 <= max_fp_share <= 1.0:
        raise OptionError(f"max-fp-share is {max_fp_share}; a share of the tumour-free slices lies in [0, 1]")
    runs = tuple(_with_patients(run, cache, seed) for run in find_runs(out))
    check_data(runs, cache)
    groups, left_out = _groups(runs)
    tables = _tables(runs, cache, flips, progress)
    work = _Nested(groups, tables, flips, max_fp_share, seed)
    chosen, met = work.on_all()
    choice = Choice(
        variant=runs[0].checkpoint.header.variant.slug,
        data=cache.name,
        groups=groups,
        left_out=left_out,
        max_fp_share=max_fp_share,
        steps=work.steps(),
        chosen=chosen,
        cap_met=met,
        shipped_step=SHIPPED,
        bootstrap_seed=seed,
        bootstrap_samples=BOOTSTRAP_SAMPLES,
        versions=versions(),
    )
    if not any(score for step in choice.steps for score in step.dice_by_patient.values()):
        raise DatasetError(
            f"every patient scores 0 at every threshold and post-processing, so there is nothing to choose and no "
            f"{CHOICE_FILE} was written; train longer, or see with 'edgeseg evaluate' what the network draws"
        )
    artifacts.write_text(out / CHOICE_FILE, to_json(choice) + "\n")
    return choice


def _with_patients(run: FoldRun, cache: SliceCache, seed: int) -> FoldRun:
    """Choose for a network that somebody else trained on the patients that are kept for its calibration."""
    checkpoint = run.checkpoint
    if checkpoint.header.foreign is None:
        return run
    header = replace(checkpoint.header, validation_patients=calibration_patients(checkpoint, cache, seed=seed))
    return replace(run, checkpoint=replace(checkpoint, header=header))


def _groups(runs: tuple[FoldRun, ...]) -> tuple[tuple[ChoiceGroup, ...], str]:
    """Who is left out together: a fold, or a patient where there is one run."""
    if sum(len(run.patients) for run in runs) < 2:
        raise DatasetError("one patient was held out in all; a choice is made on some and scored on others")
    parts = [(run, run.patients) for run in runs]
    if len(runs) == 1:
        parts = [(run, (patient,)) for run in runs for patient in run.patients]
    return tuple(
        ChoiceGroup(run=run.folder.name, weights_sha256=run.sha256, patients=patients) for run, patients in parts
    ), "fold" if len(runs) > 1 else "patient"


def _on_grid(reference: NDArray[np.bool_], contract: Contract) -> NDArray[np.bool_]:
    """Bring masks, `(N, h, w) bool`, to the grid of a network that takes another size than the slices have."""
    size = (contract.height, contract.width)
    if reference.shape[1:] == size:
        return reference
    return np.asarray(logits_to_size(reference.astype(np.float32), *size) > 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class _Tables:
    """Scores of all patients, in the order of the runs: volumes, volumes with flips, and lone slices."""

    volumes: PointTable
    flipped: PointTable
    slices: PointTable


def _tables(runs: tuple[FoldRun, ...], cache: SliceCache, flips: str, progress: Progress | None) -> _Tables:
    contract = checkpoint_contract(runs[0].checkpoint.header)
    done, total = 0, 4 * sum(len(run.patients) for run in runs)

    def advance(_done: int, _total: int | None, patient: str) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total, patient)

    def score(flipped: str, grids: tuple[_Grid, ...]) -> list[PointTable]:
        rows: list[list[PatientPoints]] = [[] for _ in grids]
        for run in runs:
            for patient, logits in held_out_logits(run, cache, flips=flipped, progress=advance):
                reference = _on_grid(np.asarray(cache.volume(patient).reference), contract)
                for row, grid in zip(rows, grids, strict=True):
                    row.append(grid.score(logits, reference, contract))
                advance(0, None, patient)
        return [PointTable.of(grid.points, row) for grid, row in zip(grids, rows, strict=True)]

    volumes, slices = _Grid(points=volume_points(), volume=True), _Grid(points=slice_points(), volume=False)
    plain, alone = score("none", (volumes, slices))
    return _Tables(volumes=plain, flipped=score(flips, (volumes,))[0], slices=alone)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    points: tuple[OperatingPoint, ...]
    volume: bool

    def score(self, logits: NDArray[np.float32], reference: NDArray[np.bool_], contract: Contract) -> PatientPoints:
        return score_points(logits, reference, contract, self.points, volume=self.volume)


class _Nested:
    """The ways of choosing, each scored on the groups that it did not choose on."""

    def __init__(
        self, groups: tuple[ChoiceGroup, ...], tables: _Tables, flips: str, max_fp_share: float, seed: int
    ) -> None:
        self.groups, self.tables, self.flips = groups, tables, flips
        self.max_fp_share, self.seed = max_fp_share, seed
        self.patients = tuple(patient for group in groups for patient in group.patients)
        self.member = np.repeat(np.arange(len(groups)), [len(group.patients) for group in groups])

    def on_all(self) -> tuple[OperatingPoint, bool]:
        """Choose on every patient: what ships, and whether the cap was kept in volumes and in lone slices."""
        tables, everyone = self.tables, np.ones(len(self.patients), np.bool_)
        best, met = tables.volumes.best(everyone, self._any(tables.volumes), max_fp_share=self.max_fp_share)
        point = tables.volumes.points[best]
        alone, alone_met = tables.slices.best(
            everyone, tables.slices.where(lambda p: p.threshold == point.threshold), max_fp_share=self.max_fp_share
        )
        area = tables.slices.points[alone].post_processing.min_area_px
        return replace(point, post_processing=replace(point.post_processing, min_area_px=area)), met and alone_met

    def steps(self) -> tuple[ChoiceStep, ...]:
        """Every way of choosing, `plain` first; the last one is for slices that are given without their volume."""
        volumes, flipped, slices = self.tables.volumes, self.tables.flipped, self.tables.slices
        at_half = volumes.where(lambda p: p.threshold == 0.5)
        whole = volumes.where(lambda p: not p.post_processing.applies(volume=True))
        everything = self._any(volumes)
        plain = self._step(PLAIN, volumes, lambda _: at_half & whole)
        shipped = self._step(SHIPPED, volumes, lambda _: everything, plain)

        def same_threshold(group: int) -> NDArray[np.bool_]:
            return slices.where(lambda p: p.threshold == shipped.chosen[group].threshold)

        return (
            plain,
            self._step("threshold", volumes, lambda _: whole, plain),
            self._step("post-processing", volumes, lambda _: at_half, plain),
            shipped,
            self._step(self.flips, flipped, lambda _: at_half & whole, plain, flips=self.flips),
            self._step(f"the same with {self.flips}", flipped, lambda _: everything, plain, flips=self.flips),
            self._step("lone slices", slices, same_threshold, plain),
        )

    def _any(self, table: PointTable) -> NDArray[np.bool_]:
        return np.ones(len(table.points), np.bool_)

    def _step(
        self,
        name: str,
        table: PointTable,
        allowed: _Allowed,
        plain: ChoiceStep | None = None,
        *,
        flips: str = "none",
    ) -> ChoiceStep:
        found = [
            table.best(self.member != group, allowed(group), max_fp_share=self.max_fp_share)
            for group in range(len(self.groups))
        ]
        at = np.array([best for best, _ in found])[self.member]
        rows = np.arange(len(self.patients))
        dice = dict(zip(self.patients, table.dice[rows, at].tolist(), strict=True))
        values = list(dice.values())
        low, high = median_bounds(values, seed=self.seed)
        return ChoiceStep(
            name=name,
            flips=flips,
            dice=bootstrap_interval(values, seed=self.seed),
            dice_median=float(np.median(values)),
            dice_median_low=low,
            dice_median_high=high,
            delta=None if plain is None else _difference(values, plain, seed=self.seed),
            false_positive_slices=int(table.false_positive_slices[rows, at].sum()),
            tumour_free_slices=int(table.tumour_free.sum()),
            lesions_found=int(table.lesions_found[rows, at].sum()),
            lesions=int(table.lesions.sum()),
            cap_met=all(met for _, met in found),
            chosen=tuple(table.points[best] for best, _ in found),
            dice_by_patient=dice,
        )


def _difference(values: list[float], plain: ChoiceStep, *, seed: int) -> Interval:
    return paired_interval(values, list(plain.dice_by_patient.values()), seed=seed)
