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
from edgeseg.specs import PASS_FLIPS, Contract, refuse_regions
from edgeseg.stages.folds import FoldRun, check_data, find_runs, held_out_logits, on_grid
from edgeseg.stages.predict import checkpoint_contract
from edgeseg.stages.trust.fit import HIGH, LOW, MIDDLE, PatientOutput
from edgeseg.trust import OutputTally


def gather_runs(
    places: Sequence[Path], cache: SliceCache, *, keep: Mapping[Path, Path] | None = None
) -> tuple[FoldRun, ...]:
    """Open the runs of several folders, whose held-out patients are all different.

    Args:
        places: folders of folds, or runs.
        cache: the slices that they were trained on.
        keep: where the logits of a run are kept, by its folder; in that unless it is named here.

    Raises:
        CheckpointError: as `find_runs`, when a patient was held out twice, or the networks are of several kinds.
        ContractError: when they draw several masks.
        DatasetError: as `check_data`, and when fewer than two patients were held out.
    """
    runs = tuple(run for place in places for run in find_runs(place))
    first = runs[0].checkpoint.header
    held_out: dict[str, Path] = {}
    for run in runs:
        header = run.checkpoint.header
        refuse_regions(checkpoint_contract(header, public_ids=True), "trusted")
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
        names = ", ".join(str(run.folder) for run in runs)
        raise DatasetError(
            f"fewer than two patients were held out in all by {names}; what is fitted on some is scored on others, so "
            "give folds with --folds, as 'edgeseg train --folds' makes them"
        )
    return tuple(replace(run, folder=(keep or {}).get(run.folder, run.folder)) for run in runs)


def groups_of(runs: Sequence[FoldRun]) -> tuple[tuple[ChoiceGroup, ...], str]:
    """Say who is left out together: a fold, or a patient where there is one run."""
    parts = [(run, run.patients) for run in runs]
    if len(runs) == 1:
        parts = [(run, (patient,)) for run in runs for patient in run.patients]
    return tuple(
        ChoiceGroup(run=run.checkpoint.path.parent.name, weights_sha256=run.sha256, patients=patients)
        for run, patients in parts
    ), "fold" if len(runs) > 1 else "patient"


def outputs_of(
    runs: Sequence[FoldRun],
    cache: SliceCache,
    contract: Contract,
    member: dict[str, int],
    *,
    progress: Progress | None = None,
) -> list[PatientOutput]:
    """Score and count every held-out patient, one volume in memory at a time.

    Args:
        runs: of `gather_runs`.
        cache: their slices.
        contract: at the operating point whose masks are meant.
        member: the group of each patient.
        progress: called after each patient.

    Raises:
        OutputError: when a folder cannot be written.
    """
    total, rows = sum(len(run.patients) for run in runs), []
    for run in runs:
        for patient, logits in held_out_logits(run, cache, flips=PASS_FLIPS[contract.passes]):
            reference = on_grid(np.asarray(cache.volume(patient).reference), contract)
            mine = output_of(patient, member[patient], logits, reference, contract)
            rows.append(replace(mine, run=run.sha256))
            if progress:
                progress(len(rows), total, patient)
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
