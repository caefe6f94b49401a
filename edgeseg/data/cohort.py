"""What a data set holds, counted patient by patient: the one place that counts slices, tumour slices and pixels."""

from __future__ import annotations

import numpy as np

from edgeseg.data.volume import Dataset, Volume, volumes
from edgeseg.errors import DatasetError
from edgeseg.progress import Progress
from edgeseg.results.cohort import Cohort, PatientCount


def count_cohort(dataset: Dataset, *, progress: Progress | None = None) -> Cohort:
    """Count slices and tumour pixels, patient by patient.

    Raises:
        DatasetError: for a patient without reference masks, or a data set without patients.
    """
    counts = []
    for done, volume in enumerate(volumes(dataset), start=1):
        counts.append(count_volume(volume))
        if progress is not None:
            progress(done, len(dataset.patients), volume.patient)
    if not counts:
        raise DatasetError(f"the data set '{dataset.name}' holds no patients; give a folder with at least one")
    return Cohort(name=dataset.name, patients=tuple(counts))


def count_volume(volume: Volume) -> PatientCount:
    """Count one patient; a pixel of any class is tumour.

    Raises:
        DatasetError: when the patient has no reference masks.
    """
    if volume.masks is None:
        raise DatasetError(f"patient {volume.patient} has no reference masks; counting tumour needs them")
    shown = volume.tumour
    per_slice = np.count_nonzero(shown, axis=(1, 2))
    return PatientCount(
        patient=volume.patient,
        slices=len(shown),
        tumour_slices=int(np.count_nonzero(per_slice)),
        pixels=int(shown.size),
        tumour_pixels=int(per_slice.sum()),
    )
