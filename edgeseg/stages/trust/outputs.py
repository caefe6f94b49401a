"""What networks drew on the patients that they held out: masks scored, logits counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.components import post_process
from edgeseg.data.cache import SliceCache
from edgeseg.errors import CheckpointError, DatasetError
from edgeseg.imaging import mask_from_logits
from edgeseg.metrics import count_overlap
from edgeseg.metrics.reliability import count_logits
from edgeseg.progress import Progress
from edgeseg.results import ChoiceGroup
from edgeseg.specs import PASS_FLIPS, Contract
from edgeseg.stages.folds import FoldRun, check_data, find_runs, held_out_logits, on_grid
from edgeseg.stages.predict import class_masks, name_patients
from edgeseg.stages.trust.fit import HIGH, LOW, MIDDLE, PatientOutput
from edgeseg.trust import OutputTally

_MOST_ALONE, _PARTS = 40, 20
"""Up to how many patients of one run are each left out alone, and into how many groups more are divided."""


def gather_runs(
    places: Sequence[Path], cache: SliceCache, *, keep: Mapping[Path, Path] | None = None, unseen: bool = False
) -> tuple[FoldRun, ...]:
    """Open the runs of several folders, whose held-out patients are all different.

    Args:
        places: folders of folds, or runs.
        cache: the slices that they were trained on.
        keep: where the logits of a run are kept, by its folder; in that unless it is named here.
        unseen: take it that what was imported learned from none of the patients, who all count as held out but for
            those that it was trained on since. Networks of edgeseg's own say themselves whom they held out.

    Raises:
        CheckpointError: as `find_runs`, when a patient was held out twice, or the networks are of several kinds.
        DatasetError: as `check_data`, and when fewer than two patients were held out.
    """
    runs = tuple(run for place in places for run in find_runs(place))
    runs = tuple(_all_held_out(run, cache) for run in runs) if unseen else runs
    first = runs[0].checkpoint.header
    held_out: dict[str, Path] = {}
    for run in runs:
        header = run.checkpoint.header
        if (header.variant, header.image) != (first.variant, first.image):
            raise CheckpointError(
                f"{runs[0].folder} is {first.variant.slug} and {run.folder} is {header.variant.slug}, or another size "
                "or other channels; one kind of network is meant, so name its folds alone"
            )
        for patient in run.patients:
            if patient in held_out:
                raise CheckpointError(
                    f"{patient} was held out by {held_out[patient]} and by {run.folder}; each patient counts once, so "
                    "leave one of the two out"
                )
            held_out[patient] = run.folder
    check_data(runs, cache)
    if len(held_out) < 2:
        raise DatasetError(_too_few(runs, len(held_out), unseen=unseen))
    return tuple(replace(run, folder=(keep or {}).get(run.folder, run.folder)) for run in runs)


def _too_few(runs: Sequence[FoldRun], held_out: int, *, unseen: bool) -> str:
    """Say why there is nothing to fit on, and where held-out patients come from."""
    why = f"fewer than two patients were held out in all ({held_out}); what is fitted on some is scored on others"
    foreign = next((run for run in runs if run.checkpoint.header.foreign is not None), None)
    if unseen:
        return f"{why}, so name more patients with --data"
    if foreign is None:
        return f"{why}, so give folds of 'edgeseg train --folds' with --folds"
    return (
        f"{why}; {foreign.folder} was imported, and its file does not say whom it held out. If it learned from none of "
        "the patients of --data, say so with --unseen; else name other patients with --data, and say so of them"
    )


def _all_held_out(run: FoldRun, cache: SliceCache) -> FoldRun:
    if run.checkpoint.header.foreign is None:
        return run
    checkpoint = name_patients(run.checkpoint, cache.patients)
    learned = set(checkpoint.header.train_patients)
    header = replace(
        checkpoint.header,
        train_patients=tuple(patient for patient in cache.patients if patient in learned),
        validation_patients=tuple(patient for patient in cache.patients if patient not in learned),
    )
    return replace(run, checkpoint=replace(checkpoint, header=header))


def groups_of(runs: Sequence[FoldRun]) -> tuple[tuple[ChoiceGroup, ...], str]:
    """Say who is left out together: a fold, or where there is one run a patient, of many a group of them."""
    parts, left_out = [(run, run.patients) for run in runs], "fold"
    if len(runs) == 1:
        one = runs[0]
        count, left_out = len(one.patients), "patient"
        if count > _MOST_ALONE:
            count, left_out = _PARTS, "group of patients"
        parts = [(one, one.patients[place::count]) for place in range(count)]
    return tuple(
        ChoiceGroup(run=run.checkpoint.path.parent.name, weights_sha256=run.sha256, patients=patients)
        for run, patients in parts
    ), left_out


def outputs_of(
    runs: Sequence[FoldRun],
    cache: SliceCache,
    contract: Contract,
    member: dict[str, int],
    *,
    progress: Progress | None = None,
) -> list[list[PatientOutput]]:
    """Score and count every held-out patient, one volume in memory at a time.

    Args:
        runs: of `gather_runs`.
        cache: their slices.
        contract: at the operating point whose masks are meant.
        member: the group of each patient.
        progress: called after each patient.

    Returns:
        Of each mask, in the order of `Contract.masks`, what it is of each patient.

    Raises:
        MaskError: when the data has other classes than the network.
        OutputError: when a folder cannot be written.
    """
    total, masks = sum(len(run.patients) for run in runs), contract.masks
    rows: list[list[PatientOutput]] = [[] for _ in masks]
    for run in runs:
        for patient, logits in held_out_logits(run, cache, flips=PASS_FLIPS[contract.passes]):
            volume = cache.volume(patient)
            whole = class_masks(volume, contract)
            for place, (mine, mask) in enumerate(zip(rows, masks, strict=True)):
                at = (..., place) if contract.regions else ...
                made = output_of(patient, member[patient], logits[at], on_grid(whole[at], contract), mask)
                mine.append(replace(made, run=run.sha256))
            if progress:
                progress(len(rows[0]), total, patient)
    return rows


def output_of(
    patient: str, group: int, logits: NDArray[np.float32], reference: NDArray[np.bool_], contract: Contract
) -> PatientOutput:
    """Score and count one patient: logits and reference, `(N, H, W)`, on the network's grid."""
    masks = post_process(mask_from_logits(logits, contract), contract.post_processing, volume=True)
    tally = OutputTally((LOW, MIDDLE, HIGH))
    for one in logits:
        tally.add(one)
    return PatientOutput(
        patient=patient,
        group=group,
        run="",
        dice=count_overlap(masks, reference).dice,
        volume_px=int(np.count_nonzero(masks)),
        reference_px=int(np.count_nonzero(reference)),
        counts=tally.counts,
        histogram=count_logits(logits, reference),
    )
