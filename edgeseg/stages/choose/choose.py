"""Choosing threshold and post-processing on out-of-fold logits, and scoring the choice where it was not made.

A network of several masks gets a point for each, chosen by itself.

Networks of a cross-validation never saw the patients that they are scored on. A threshold that is chosen on those
patients and scored on them again would still flatter itself; so it is chosen on all folds but one and scored on that
one, for each fold in turn, and what ships is chosen on all of them (Varma and Simon, BMC Bioinformatics 7:91, 2006).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.data.cache import SliceCache
from edgeseg.errors import DatasetError, OptionError
from edgeseg.jsonio import to_record
from edgeseg.metrics import BOOTSTRAP_SAMPLES
from edgeseg.progress import Progress
from edgeseg.results import Choice, ChoiceGroup, ClassChoice
from edgeseg.specs import PASS_FLIPS, Contract, OperatingPoint, check_flips, check_passes, check_seed
from edgeseg.stages.calibrate import calibration_patients
from edgeseg.stages.choose.choice import CHOICE_FILE
from edgeseg.stages.choose.joined import chosen_for, mean_steps
from edgeseg.stages.choose.nested import SHIPPED, Nested, Tables, with_flips
from edgeseg.stages.choose.points import PatientPoints, PointTable, score_points, slice_points, volume_points
from edgeseg.stages.environment import versions
from edgeseg.stages.folds import FoldRun, check_data, find_runs, held_out_logits, on_grid
from edgeseg.stages.predict import checkpoint_contract, class_masks

DEFAULT_FLIPS = "hflip"
MAX_FP_SHARE = 0.05


def choose(
    out: Path,
    cache: SliceCache,
    *,
    into: Path | None = None,
    flips: str = DEFAULT_FLIPS,
    max_fp_share: float = MAX_FP_SHARE,
    passes: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Choice:
    """Choose the operating point of a network, and write it into `choice.json` in `into`.

    Args:
        out: the folder of the folds, or one run; see `find_runs`. A single run is nested by patient: each is scored at
            what was chosen on the others.
        cache: the slices that the runs were trained on.
        into: the folder that also keeps the logits of one run; that of the run, or of the folds, unless given.
        flips: the test-time flips whose worth is measured; they are no part of what ships.
        passes: how often the network that ships sees a slice, where its own contract does not say twice; with 2 the
            point is chosen on the mean of both, and the flips are left and right.
        max_fp_share: at most this share of the tumour-free slices may hold a false positive, where any point does it.
        seed: of the bootstrap.
        progress: called with steps done and steps in all.

    Raises:
        OptionError: for unknown flips or passes, flips that are not those of the passes, a share outside [0, 1], or a
            negative seed.
        CheckpointError: when there are no finished runs, or they do not belong together.
        DatasetError: when the slices are not those of the runs, or there are fewer than two patients.
        OutputError: when a folder cannot be written.
    """
    check_flips(flips)
    check_passes(passes)
    check_seed(seed)
    if not 0.0 <= max_fp_share <= 1.0:
        raise OptionError(f"max-fp-share is {max_fp_share}; a share of the tumour-free slices lies in [0, 1]")
    runs = tuple(_with_patients(run, cache, seed) for run in _kept_in(into, find_runs(out)))
    check_data(runs, cache)
    passes = max(passes, checkpoint_contract(runs[0].checkpoint.header).passes)
    if passes > 1 and flips != PASS_FLIPS[passes]:
        raise OptionError(
            f"passes is {passes}, so the flips are {PASS_FLIPS[passes]}, and '{flips}' was given; leave out the flips"
        )
    groups, left_out = _groups(runs)
    tables = _tables(runs, cache, flips, passes, progress)
    works = [Nested(groups, one, flips, max_fp_share, seed, passes) for one in tables]
    names = tuple(region.name for region in checkpoint_contract(runs[0].checkpoint.header).regions)
    chosen, met = chosen_for(works, names)
    steps = [work.steps() for work in works]
    choice = Choice(
        variant=runs[0].checkpoint.header.variant.slug,
        data=cache.name,
        groups=groups,
        left_out=left_out,
        max_fp_share=max_fp_share,
        steps=mean_steps(steps, seed=seed),
        chosen=chosen,
        cap_met=met,
        shipped_step=SHIPPED if passes == 1 else with_flips(flips),
        bootstrap_seed=seed,
        bootstrap_samples=BOOTSTRAP_SAMPLES,
        versions=versions(),
        classes=tuple(ClassChoice(name=name, steps=own) for name, own in zip(names, steps, strict=bool(names))),
    )
    if not any(score for step in choice.steps for score in step.dice_by_patient.values()):
        raise DatasetError(
            f"every patient scores 0 at every threshold and post-processing, so there is nothing to choose and no "
            f"{CHOICE_FILE} was written; train longer, or see with 'edgeseg evaluate' what the network draws"
        )
    artifacts.write_text((into or out) / CHOICE_FILE, to_record(choice))
    return choice


def _kept_in(into: Path | None, runs: tuple[FoldRun, ...]) -> tuple[FoldRun, ...]:
    """Let one run keep its logits elsewhere."""
    if into is None:
        return runs
    if len(runs) != 1:
        raise OptionError(f"--into {into} is for one run, and there are {len(runs)} folds; leave it out")
    return (replace(runs[0], folder=into),)


def _with_patients(run: FoldRun, cache: SliceCache, seed: int) -> FoldRun:
    """Choose for a network that somebody else trained on the patients that are kept for its calibration."""
    checkpoint = run.checkpoint
    if checkpoint.header.foreign is None:
        return run
    header = replace(checkpoint.header, validation_patients=calibration_patients(checkpoint, cache, seed=seed))
    return replace(run, checkpoint=replace(checkpoint, header=header))


def _groups(runs: tuple[FoldRun, ...]) -> tuple[tuple[ChoiceGroup, ...], str]:
    """Who is left out together: a fold, or a patient where there is one run."""
    if (held_out := sum(len(run.patients) for run in runs)) < 2:
        foreign = any(run.checkpoint.header.foreign is not None for run in runs)
        raise DatasetError(
            f"fewer than two patients were held out in all ({held_out}); a choice is made on some and scored on "
            "others, so "
            + (
                "give more patients with --data: an imported network is chosen for on those kept for its calibration, "
                "of whom phantoms have none"
                if foreign
                else "train with more patients, or on folds with 'edgeseg train --folds'"
            )
        )
    parts = [(run, run.patients) for run in runs]
    if len(runs) == 1:
        parts = [(run, (patient,)) for run in runs for patient in run.patients]
    return tuple(
        ChoiceGroup(run=run.folder.name, weights_sha256=run.sha256, patients=patients) for run, patients in parts
    ), "fold" if len(runs) > 1 else "patient"


def _tables(
    runs: tuple[FoldRun, ...], cache: SliceCache, flips: str, passes: int, progress: Progress | None
) -> list[Tables]:
    """Score every point on every patient, for each mask that the networks draw."""
    contract = checkpoint_contract(runs[0].checkpoint.header)
    masks = contract.masks
    done, total = 0, 4 * sum(len(run.patients) for run in runs)

    def advance(_done: int, _total: int | None, patient: str) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total, patient)

    def score(flipped: str, grids: tuple[_Grid, ...]) -> list[list[PointTable]]:
        rows: list[list[list[PatientPoints]]] = [[[] for _ in grids] for _ in masks]
        for run in runs:
            for patient, logits in held_out_logits(run, cache, flips=flipped, progress=advance):
                volume = cache.volume(patient)
                whole = class_masks(volume, contract) if contract.regions else np.asarray(volume.reference)
                for place, mask in enumerate(masks):
                    at = (..., place) if contract.regions else ...
                    reference = on_grid(whole[at], contract)
                    for row, grid in zip(rows[place], grids, strict=True):
                        row.append(grid.score(logits[at], reference, mask))
                advance(0, None, patient)
        return [[PointTable.of(grid.points, row) for grid, row in zip(grids, mine, strict=True)] for mine in rows]

    volumes, slices = _Grid(points=volume_points(), volume=True), _Grid(points=slice_points(), volume=False)
    alone = (slices,)
    plain = score("none", (volumes, *(alone if passes == 1 else ())))
    turned = score(flips, (volumes, *(alone if passes > 1 else ())))
    return [
        Tables(volumes=whole, flipped=flipped, slices=[*once, *twice][0])
        for (whole, *once), (flipped, *twice) in zip(plain, turned, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    points: tuple[OperatingPoint, ...]
    volume: bool

    def score(self, logits: NDArray[np.float32], reference: NDArray[np.bool_], contract: Contract) -> PatientPoints:
        return score_points(logits, reference, contract, self.points, volume=self.volume)
