"""Who may be calibrated on: whom training used, or, where nobody knows who that was, a few patients kept apart.

A network that somebody else trained names no training patients. A share of the patients that are there is then drawn by
the seed, calibrated on and never scored; all others are scored and never calibrated on. A patient is drawn by the hash
of seed and name, so that further patients in the folder change little.
"""

from __future__ import annotations

import hashlib
import math

from edgeseg.checkpoint import Checkpoint
from edgeseg.data.volume import PHANTOM, Dataset
from edgeseg.place import keys_for
from edgeseg.specs import seen_among
from edgeseg.stages.predict import name_patients

SHARE, MOST, MANY = 0.1, 16, 4
"""Of the patients, at most `MOST`, and at least two from `MANY` on."""


def calibration_patients(checkpoint: Checkpoint, dataset: Dataset, *, seed: int) -> tuple[str, ...]:
    """Return the patients of a data set that int8 ranges may come from, in its order; nobody else may lend slices.

    Args:
        checkpoint: the weights.
        dataset: whose patients.
        seed: of the draw.

    Returns:
        Those that trained the weights; for a network of somebody else those that its file names as seen, or else a few
        that are drawn. Nobody of phantoms, of which others are kept for calibration.
    """
    header = name_patients(checkpoint, dataset.patients).header
    trained, foreign = set(header.train_patients), header.foreign
    if foreign is None or trained:
        return tuple(patient for patient in dataset.patients if patient in trained)
    entries = foreign.contract.seen_patients
    if seen := seen_among(dataset.patients, entries, keys_for(entries)):
        return tuple(seen)
    if dataset.name == PHANTOM:
        return ()
    there = len(dataset.patients)
    count = min(MOST, max(1 if there < MANY else 2, math.floor(SHARE * there)))
    drawn = set(sorted(dataset.patients, key=lambda patient: _place(patient, seed))[:count])
    return tuple(patient for patient in dataset.patients if patient in drawn)


def _place(patient: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{patient}".encode()).hexdigest()
