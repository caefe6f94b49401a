"""Look through a data set file by file and name everything that is wrong, instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edgeseg.data.layouts.layout import StoredDataset
from edgeseg.data.layouts.whole_set import WholeSet
from edgeseg.data.patient_look import ERROR, WARNING, Finding, PatientLook, Picture, look_at
from edgeseg.progress import Progress

VERIFY_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """What was looked at and what was found; `slices` counts those that could be read."""

    data: str
    root: str
    patients: int
    slices: int
    errors: int
    warnings: int
    findings: tuple[Finding, ...]
    schema_version: int = VERIFY_SCHEMA_VERSION

    @property
    def passed(self) -> bool:
        """Whether there were no errors; warnings do not count."""
        return self.errors == 0


def verify_dataset(
    dataset: StoredDataset, *, looks: Iterable[PatientLook] | None = None, progress: Progress | None = None
) -> VerifyResult:
    """Read every file of a data set once.

    Errors: a patient without slices, a file that fits no slice, a slice without a mask, a mask without a slice, files
    that cannot be used, two shapes in one patient or one slice, a number twice or left out, and one picture under two
    patients (a leak between folds). Warnings: a patient without tumour, and one picture twice in a patient. Pictures
    of one value throughout are not compared.

    Args:
        dataset: what to read.
        looks: of `look_at` for each patient, in order, where they are made elsewhere; made here unless given.
        progress: called after each patient.
    """
    findings: list[Finding] = []
    seen: dict[str, tuple[str, str]] = {}
    slices, whole = 0, 0
    present = np.zeros(len(dataset.labels.regions) if isinstance(dataset, WholeSet) else 0, np.bool_)
    made = (look_at(dataset, patient) for patient in dataset.patients) if looks is None else looks
    for done, look in enumerate(made, start=1):
        slices += look.slices
        if look.present:
            whole += 1
            present |= look.present
        for one in look.found:
            if isinstance(one, Finding):
                findings.append(one)
            elif (twice := _compared(one, seen)) is not None:
                findings.append(twice)
        if progress is not None:
            progress(done, len(dataset.patients), look.patient)
    if whole and isinstance(dataset, WholeSet):
        findings += _absent(dataset, present.tolist())
    return VerifyResult(
        data=dataset.name,
        root=str(dataset.root),
        patients=len(dataset.patients),
        slices=slices,
        errors=sum(finding.level == ERROR for finding in findings),
        warnings=sum(finding.level == WARNING for finding in findings),
        findings=tuple(findings),
    )


def _compared(picture: Picture, seen: dict[str, tuple[str, str]]) -> Finding | None:
    """Say where a picture was met before, and remember it where it was not."""
    other, first = seen.setdefault(picture.sha256, (picture.patient, picture.name))
    if (other, first) == (picture.patient, picture.name):
        return None
    elsewhere = other != picture.patient
    return Finding(
        level=ERROR if elsewhere else WARNING,
        kind="duplicate-slice",
        patient=picture.patient,
        where=picture.where,
        message=f"the same picture as {first}{f' of patient {other}' if elsewhere else ''}",
    )


def _absent(dataset: WholeSet, present: list[bool]) -> list[Finding]:
    """Name the classes that no patient has."""
    message = "no patient has this class, so nothing can learn it; leave it out"
    return [
        Finding(level=ERROR, kind="absent-class", patient="", where=region.name, message=message)
        for region, there in zip(dataset.labels.regions, present, strict=True)
        if not there
    ]
