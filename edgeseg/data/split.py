"""Folds of patients: never of slices, since neighbouring slices of one patient are near copies and would leak.

A split is written as a manifest that also says, per patient, what was split: institution, counts, and a hash of the
decoded masks, so that a later run can prove that it works on the same reference.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.artifacts import sha256_bytes, write_text
from edgeseg.data.cohort import count_volume
from edgeseg.data.volume import Dataset, Volume, volumes
from edgeseg.errors import OptionError, SplitError
from edgeseg.jsonio import JsonFormatError, from_json, read_document, to_json
from edgeseg.progress import Progress
from edgeseg.specs import check_seed

SPLIT_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPatient:
    """What one patient was when the split was made; `mask_sha256` is `mask_digest` of the masks."""

    patient: str
    institution: str
    slices: int
    tumour_slices: int
    tumour_pixels: int
    mask_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Disjoint folds that together hold every patient of `patients`."""

    data: str
    seed: int
    folds: tuple[tuple[str, ...], ...]
    patients: tuple[SplitPatient, ...]
    schema_version: int = SPLIT_SCHEMA_VERSION

    def __post_init__(self) -> None:
        """Refuse a split that leaks, has an empty fold, or does not cover its own patients."""
        if self.schema_version != SPLIT_SCHEMA_VERSION:
            raise SplitError(
                f"the split has schema version {self.schema_version} and this edgeseg reads {SPLIT_SCHEMA_VERSION}; "
                "make it again with 'edgeseg data split'"
            )
        if len(self.folds) < 2:
            raise SplitError(f"the split has {len(self.folds)} fold(s); training and validation need at least 2")
        for index, fold in enumerate(self.folds):
            if not fold:
                raise SplitError(f"fold {index} holds no patient; every fold needs one; ask for fewer folds")
        dealt = Counter(patient for fold in self.folds for patient in fold)
        if twice := sorted(patient for patient, times in dealt.items() if times > 1):
            raise SplitError(
                f"patient {twice[0]} is in the folds {dealt[twice[0]]} times; once is the rule, or it leaks"
            )
        described = Counter(entry.patient for entry in self.patients)
        if repeated := sorted(patient for patient, times in described.items() if times > 1):
            raise SplitError(f"patient {repeated[0]} is described {described[repeated[0]]} times; once is the rule")
        if odd := sorted(dealt.keys() ^ described.keys()):
            where = "in a fold but not described" if odd[0] in dealt else "described but in no fold"
            raise SplitError(f"patient {odd[0]} is {where}; folds and patients must name the same ids")

    def validation(self, fold: int) -> tuple[str, ...]:
        """The patients of one fold, sorted.

        Raises:
            OptionError: when there is no such fold.
        """
        if not 0 <= fold < len(self.folds):
            raise OptionError(f"fold is {fold}; the split has folds 0 to {len(self.folds) - 1}")
        return tuple(sorted(self.folds[fold]))

    def training(self, fold: int) -> tuple[str, ...]:
        """The patients of all other folds, sorted.

        Raises:
            OptionError: when there is no such fold.
        """
        held_out = set(self.validation(fold))
        return tuple(sorted(entry.patient for entry in self.patients if entry.patient not in held_out))


def mask_digest(masks: NDArray[np.bool_]) -> str:
    """SHA-256 in hex of `N,H,W:` in ASCII followed by `(N, H, W) bool` as bytes 0 and 1 in C order."""
    header = ",".join(str(side) for side in masks.shape) + ":"
    return sha256_bytes(header.encode() + np.ascontiguousarray(masks, dtype=np.bool_).tobytes())


def describe(volume: Volume) -> SplitPatient:
    """Count and hash one patient.

    Raises:
        SplitError: when the patient has no reference masks.
    """
    if volume.masks is None:
        raise SplitError(f"patient {volume.patient} has no masks; a split describes patients with a reference")
    count = count_volume(volume)
    return SplitPatient(
        patient=volume.patient,
        institution=volume.institution,
        slices=count.slices,
        tumour_slices=count.tumour_slices,
        tumour_pixels=count.tumour_pixels,
        mask_sha256=mask_digest(volume.masks),
    )


def make_folds(dataset: Dataset, *, folds: int = 5, seed: int = 0, progress: Progress | None = None) -> Split:
    """Deal the patients of a data set into folds, stratified by institution and, inside it, by tumour volume.

    Fold sizes differ by at most one patient, over all and inside each institution.

    Raises:
        OptionError: for fewer than two folds, or a negative seed.
        SplitError: when there are more folds than patients.
        DataError: when a patient cannot be read.
    """
    check_seed(seed)
    if folds < 2:
        raise OptionError(f"folds is {folds}; training and validation need at least 2")
    if folds > len(dataset.patients):
        raise SplitError(
            f"{folds} folds were asked for and {dataset.name} has {len(dataset.patients)} patient(s); every fold needs "
            "one; ask for fewer folds"
        )
    patients: list[SplitPatient] = []
    for volume in volumes(dataset):
        patients.append(describe(volume))
        if progress is not None:
            progress(len(patients), len(dataset.patients), volume.patient)
    return Split(data=dataset.name, seed=seed, folds=deal(patients, folds=folds, seed=seed), patients=tuple(patients))


def deal(patients: Iterable[SplitPatient], *, folds: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """Deal patients into folds.

    Each institution is sorted by tumour volume and cut into blocks of `folds` patients of like volume. A whole block
    gives every fold one patient in random order; the rest of an institution goes to the smallest folds.
    """
    rng = np.random.default_rng(seed)
    by_institution: defaultdict[str, list[SplitPatient]] = defaultdict(list)
    for entry in sorted(patients, key=lambda entry: (-entry.tumour_pixels, entry.patient)):
        by_institution[entry.institution].append(entry)
    hands: list[list[str]] = [[] for _ in range(folds)]
    for institution in sorted(by_institution):
        members = by_institution[institution]
        for start in range(0, len(members), folds):
            block = members[start : start + folds]
            order = sorted(rng.permutation(folds).tolist(), key=lambda index: len(hands[index]))
            for index, place in zip(order, rng.permutation(len(block)).tolist(), strict=False):
                hands[index].append(block[place].patient)
    return tuple(tuple(sorted(hand)) for hand in hands)


def write_split(split: Split, path: Path) -> Path:
    """Write the manifest as JSON, in one step.

    Raises:
        OutputError: when the place cannot be written.
    """
    return write_text(path, to_json(split) + "\n")


def read_split(path: Path) -> Split:
    """Read a manifest.

    Raises:
        SplitError: when the file is missing, not a split, of another schema version, leaks, or has an empty fold.
    """
    try:
        text = read_document(path)
    except OSError as error:
        raise SplitError(
            f"{path}: the split cannot be read ({error.strerror}); make it with 'edgeseg data split'"
        ) from error
    try:
        return from_json(Split, text)
    except JsonFormatError as error:
        raise SplitError(f"{path}: not a split ({error}); make it again with 'edgeseg data split'") from error
    except SplitError as error:
        raise SplitError(f"{path}: {error}") from error


def check_split(
    split: Split, dataset: Dataset, *, patients: Iterable[str] | None = None, progress: Progress | None = None
) -> None:
    """Prove that a data set still holds what was split; patients that the split does not name are allowed.

    Args:
        split: the manifest.
        dataset: the data.
        patients: the ones to check, all of the split when None.
        progress: called after each patient.

    Raises:
        SplitError: for patients that are missing and for the first whose masks, counts or institution changed.
        DataError: when a patient cannot be read.
    """
    described: Mapping[str, SplitPatient] = {entry.patient: entry for entry in split.patients}
    wanted = tuple(described) if patients is None else tuple(patients)
    if unknown := [patient for patient in wanted if patient not in described]:
        raise SplitError(f"patient {unknown[0]} is not in the split of {split.data}; make the split again")
    if missing := sorted(set(wanted) - set(dataset.patients)):
        raise SplitError(
            f"{len(missing)} patient(s) of the split are not in {dataset.name}: {', '.join(missing[:3])}"
            f"{' ...' if len(missing) > 3 else ''}; give the data that was split, or make the split again"
        )
    for done, volume in enumerate(volumes(dataset, wanted), start=1):
        if (now := describe(volume)) != described[volume.patient]:
            raise SplitError(
                f"patient {volume.patient} is not what was split: {_difference(described[volume.patient], now)}; "
                "give the data that was split, read with the same --labels and --layout, or make the split again"
            )
        if progress is not None:
            progress(done, len(wanted), volume.patient)


def _difference(then: SplitPatient, now: SplitPatient) -> str:
    for field in ("institution", "slices", "tumour_slices", "tumour_pixels"):
        if getattr(then, field) != getattr(now, field):
            return f"{field.replace('_', ' ')} then {getattr(then, field)}, now {getattr(now, field)}"
    return "the masks' pixels changed"
