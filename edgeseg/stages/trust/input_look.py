"""Learning from the patients that trained a network what its inputs look like, and how well that tells odd ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.odd import Masks, learned
from edgeseg.data.volume import Dataset, Volume
from edgeseg.imaging import to_network
from edgeseg.progress import Progress
from edgeseg.results import InputCheck
from edgeseg.specs import Contract, InputLook
from edgeseg.stages.trust.input_fit import LEAST_PATIENTS, LookRow, Sign, fit_look
from edgeseg.trust import InputTally, input_features, input_oddity, sign_scores, slices_looked_at

_GROUPS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatientLook:
    """One patient as it is and made odd; the row is None where two of its sequences are the same or one is missing."""

    patient: str
    row: LookRow | None


def input_tally(images: NDArray[np.uint8]) -> InputTally:
    """Count all slices given, `(N, H, W, C) uint8` on the network's grid."""
    tally = InputTally(images.shape[3])
    for image in images:
        tally.add(image)
    return tally


def picked(volume: Volume, contract: Contract) -> tuple[NDArray[np.uint8], Masks]:
    """Return the slices of a volume that are looked at, on the network's grid, and where its masks are on it."""
    numbers = list(slices_looked_at(len(volume.images)))
    images = to_network(volume.images[numbers], contract, volume.channels)
    size = (contract.height, contract.width)
    if volume.masks is None or volume.masks.shape[1:3] != size:
        return images, np.zeros((len(numbers), *size), np.bool_)
    return images, np.asarray(volume.tumour[numbers])


def patient_look(volume: Volume, contract: Contract, *, seed: int) -> PatientLook:
    """Take the features of a patient, and of what is made of it on purpose."""
    images, masks = picked(volume, contract)
    tally, names = input_tally(images), contract.channels
    clean = input_features(tally)
    if clean is None or input_oddity(tally, None, names) is not None:
        return PatientLook(patient=volume.patient, row=None)
    odd: dict[Sign, NDArray[np.float64]] = {}
    for sign, makers in learned(len(names)).items():
        made = [input_features(input_tally(make(images, masks, np.random.default_rng(seed)))) for make in makers]
        odd[sign] = np.array([one for one in made if one is not None]).reshape(-1, len(clean))
    return PatientLook(patient=volume.patient, row=LookRow(clean=np.array(clean), odd=odd))


def input_check(
    dataset: Dataset, patients: Sequence[str], contract: Contract, data: str, *, progress: Progress | None = None
) -> InputCheck | None:
    """Learn what inputs look like; None for too few patients.

    Args:
        dataset: has the slices.
        patients: those that trained the network.
        contract: the network's grid and channels.
        data: name of the data set.
        progress: called after each patient.

    Returns:
        What is learned from all, and how it does on fifths of the patients when learned from the others.
    """
    found = []
    for number, patient in enumerate(patients):
        found.append(patient_look(dataset.volume(patient), contract, seed=number))
        if progress:
            progress(number + 1, len(patients), patient)
    rows = [one.row for one in found if one.row is not None]
    if len(rows) * (_GROUPS - 1) // _GROUPS < LEAST_PATIENTS:
        return None
    alarms, told = 0, []
    for group in range(_GROUPS):
        look = fit_look([row for at, row in enumerate(rows) if at % _GROUPS != group], data)
        for row in rows[group::_GROUPS]:
            alarms += _odd(look, row.clean)
            told += [_odd(look, values) for one in row.odd.values() for values in one]
    return InputCheck(
        look=fit_look(rows, data),
        patients=len(rows),
        false_alarms=alarms,
        made_odd=len(told),
        told=sum(told),
        same_sequence=len(found) - len(rows),
    )


def _odd(look: InputLook, values: NDArray[np.float64]) -> bool:
    return any(score > 0.0 for score in sign_scores(tuple(map(float, values)), look))
