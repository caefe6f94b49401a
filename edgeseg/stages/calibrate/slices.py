"""Calibration sets: which slices an int8 target takes its ranges from, chosen by rule and written down with a hash.

A set is stratified by lesion size (tumour-free slices are a stratum of their own), then by institution, then by
patient, so that no site, scanner or lesion size decides the ranges alone. The shipped phantom set is made by
`python -m edgeseg.stages.calibrate.slices calibration/phantom.json`.
"""

from __future__ import annotations

import logging
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeseg import artifacts
from edgeseg.data.phantom import PhantomDataset
from edgeseg.data.phantom_channels import phantom_channels
from edgeseg.data.volume import Dataset, Volume, volumes
from edgeseg.errors import DatasetError, OptionError
from edgeseg.progress import Progress
from edgeseg.results import CalibrationSet, CalibrationSlice
from edgeseg.specs import LGG, check_seed
from edgeseg.stages.calibrate.manifest import pixel_digest, read_calibration, read_slices, write_calibration

DEFAULT_SLICES, BUILD_SLICES = 64, 128
_LOG = logging.getLogger(__name__)
"""How many slices the shipped phantom set holds, and how many are chosen from data unless told otherwise."""
STRATA = ("tumour-free", "small", "medium", "large")
PHANTOM_START, PHANTOM_PATIENTS, PHANTOM_SEED = 1992, 8, 0
"""The phantoms that are kept for calibration: numbers 1992 to 1999, which nothing trains or evaluates on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    entry: CalibrationSlice
    institution: str
    tumour_pixels: int


def choose_slices(
    dataset: Dataset,
    patients: Sequence[str] | None = None,
    *,
    slices: int | None = DEFAULT_SLICES,
    seed: int,
    progress: Progress | None = None,
) -> CalibrationSet:
    """Choose calibration slices among `patients`; the same arguments choose the same slices.

    A quarter each comes from tumour-free slices and from the small, medium and large third of tumour slices by area,
    dealt over institutions and patients in turn. A stratum that runs out leaves its places to the others. Without
    reference masks every slice counts as tumour-free.

    Args:
        dataset: where the slices are.
        patients: whom to choose from; all unless given. Volumes are read one at a time.
        slices: how many to choose.
        seed: of the choice.
        progress: called after each patient.

    Raises:
        OptionError: when there are not that many slices, none is asked for, or the seed is negative.
        DatasetError: for a patient that the data set does not hold.
    """
    check_seed(seed)
    candidates, wanted = _all_candidates(dataset, patients, progress)
    return _manifest(dataset, candidates, len(wanted), slices=slices, seed=seed)


def choose_slice_sets(
    dataset: Dataset, patients: Sequence[str], *, counts: Sequence[int], seed: int
) -> tuple[CalibrationSet, ...]:
    """Choose a set of each size, reading the patients once; sizes beyond what they hold are left out.

    Raises:
        DatasetError: for a patient that the data set does not hold.
    """
    candidates, wanted = _all_candidates(dataset, patients, None)
    fitting = [count for count in counts if count <= len(candidates)] or [len(candidates)]
    return tuple(_manifest(dataset, candidates, len(wanted), slices=count, seed=seed) for count in fitting)


def _all_candidates(
    dataset: Dataset, patients: Sequence[str] | None, progress: Progress | None
) -> tuple[list[_Candidate], tuple[str, ...]]:
    wanted = tuple(sorted(set(dataset.patients if patients is None else patients)))
    if unknown := sorted(set(wanted) - set(dataset.patients)):
        raise DatasetError(f"{dataset.name} holds no patient '{unknown[0]}'; calibration takes patients it holds")
    candidates: list[_Candidate] = []
    for done, volume in enumerate(volumes(dataset, wanted), 1):
        candidates += _candidates(volume)
        if progress is not None:
            progress(done, len(wanted), volume.patient)
    return candidates, wanted


def _manifest(
    dataset: Dataset, candidates: list[_Candidate], patients: int, *, slices: int | None, seed: int
) -> CalibrationSet:
    if slices is None:
        slices = _usual(len(candidates), patients)
    if not 1 <= slices <= len(candidates):
        raise OptionError(
            f"{slices} calibration slices were asked for, and the {patients} patients to choose from hold "
            f"{len(candidates)}; ask for 1 to {len(candidates)}"
        )
    chosen = _deal(candidates, slices, np.random.default_rng(seed))
    entries = tuple(sorted(chosen, key=lambda entry: (entry.patient, entry.slice_name)))
    digest = pixel_digest(read_slices(entries, dataset))
    return CalibrationSet(data=dataset.name, seed=seed, slices=entries, sha256=digest)


def phantom_calibration_data(channels: tuple[str, ...] = LGG.names) -> PhantomDataset:
    """The phantoms that the shipped calibration set is chosen from, for a network that takes `channels`."""
    drawn = phantom_channels(channels)
    return PhantomDataset(patients=PHANTOM_PATIENTS, seed=PHANTOM_SEED, start=PHANTOM_START, channels=drawn)


def _usual(there: int, patients: int) -> int:
    """Return how many slices are chosen where nobody says: `BUILD_SLICES`, or all where there are fewer."""
    if there < BUILD_SLICES:
        _LOG.warning(
            "the %d patients to choose from hold %d slices, fewer than the usual %d for calibration: all were taken",
            patients,
            there,
            BUILD_SLICES,
        )
    return min(BUILD_SLICES, there)


def shipped_phantom_set() -> CalibrationSet:
    """Read the calibration set that edgeseg ships; its slices are in `phantom_calibration_data()`.

    Raises:
        DatasetError: when the installation lacks it.
    """
    return read_calibration(artifacts.shipped("calibration", "phantom.json"))


def _candidates(volume: Volume) -> list[_Candidate]:
    areas = np.zeros(len(volume.images), int) if volume.masks is None else volume.tumour.sum(axis=(1, 2))
    return [
        _Candidate(
            entry=CalibrationSlice(patient=volume.patient, slice_name=name),
            institution=volume.institution,
            tumour_pixels=int(area),
        )
        for name, area in zip(volume.slice_names, areas, strict=True)
    ]


def _deal(candidates: list[_Candidate], slices: int, rng: np.random.Generator) -> list[CalibrationSlice]:
    """Take from the strata in turn; inside one, from institutions in turn; inside one, from patients in turn."""
    areas = sorted(c.tumour_pixels for c in candidates if c.tumour_pixels)
    cuts = (areas[len(areas) // 3], areas[2 * len(areas) // 3]) if areas else (0, 0)
    strata: defaultdict[str, list[_Candidate]] = defaultdict(list)
    for index in rng.permutation(len(candidates)).tolist():
        area = candidates[index].tumour_pixels
        size = 0 if area == 0 else 1 + (area >= cuts[0]) + (area >= cuts[1])
        strata[STRATA[size]].append(candidates[index])
    queues = [_in_turn(_by_institution(strata[name])) for name in STRATA if strata[name]]
    return [candidate.entry for candidate in _in_turn(queues)[:slices]]


def _by_institution(candidates: list[_Candidate]) -> list[list[_Candidate]]:
    sites: defaultdict[str, defaultdict[str, list[_Candidate]]] = defaultdict(lambda: defaultdict(list))
    for candidate in candidates:
        sites[candidate.institution][candidate.entry.patient].append(candidate)
    return [_in_turn(list(sites[site].values())) for site in sorted(sites)]


def _in_turn(queues: list[list[_Candidate]]) -> list[_Candidate]:
    """Deal one from each queue, round after round, until all are empty."""
    longest = max((len(queue) for queue in queues), default=0)
    return [queue[place] for place in range(longest) for queue in queues if place < len(queue)]


def _main(arguments: Sequence[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit("usage: python -m edgeseg.stages.calibrate.slices calibration/phantom.json")
    write_calibration(choose_slices(phantom_calibration_data(), seed=PHANTOM_SEED), Path(arguments[0]))


if __name__ == "__main__":
    _main(sys.argv[1:])
