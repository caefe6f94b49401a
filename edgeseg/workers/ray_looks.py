"""A look through a data set whose patients are dealt to the workers of Ray: the same findings, in the same order."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeseg.data.layouts.layout import StoredDataset
from edgeseg.data.open import open_dataset
from edgeseg.data.patient_look import PatientLook, look_at
from edgeseg.workers.ray_tasks import in_order


@dataclass(frozen=True, slots=True, kw_only=True)
class LookJob:
    """The data set to look through, as `open_dataset` takes it."""

    data: Path
    layout: str | None = None
    labels: str | None = None


def looks_on_ray(job: LookJob, patients: Sequence[str]) -> Iterator[PatientLook]:
    """Read the files of patients on the workers of Ray, one processor for each, and give the looks in their order.

    Raises:
        MissingExtraError: when Ray is not installed.
        OptionError: when it does not start.
    """
    return in_order(_look, job, tuple(patients), purpose="handing patients to Ray")


def _look(job: LookJob, patient: str) -> PatientLook:
    return look_at(_opened(job), patient)


@functools.lru_cache(maxsize=1)
def _opened(job: LookJob) -> StoredDataset:
    """List the patients once for each worker."""
    return open_dataset(job.data, layout=job.layout, labels=job.labels)
