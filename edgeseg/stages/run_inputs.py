"""Which slices `edgeseg run` was asked for, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeseg.data.listing import visible_files, visible_folders
from edgeseg.data.slice_file import SUFFIXES
from edgeseg.errors import DatasetError

MASK_ENDING = "_mask"
_UNNAMED_PATIENT = "patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The slices of one patient; `folder` holds them all.

    `volume` where a folder was given: the slices are then all of the patient's, in the order of their numbers.
    """

    patient: str
    folder: Path
    slices: tuple[Path, ...]
    volume: bool


def find_cases(paths: Iterable[Path]) -> tuple[Case, ...]:
    """Find the slices that paths stand for.

    A file is a slice. A folder stands for every slice in it and below it, hidden folders aside. Files whose names end
    in `_mask` are passed over, so that the Kaggle layout and shell patterns such as `patient/*` work. The patient of a
    slice is the name of the folder it lies in, whether the file or the folder was given. What is given twice counts
    once.

    Raises:
        DatasetError: when a path does not exist or holds no slice, when two folders claim one patient, or when two
            slices of a patient would write one mask.
    """
    found: dict[Path, dict[Path, None]] = {}
    whole: set[Path] = set()
    given = tuple(paths)
    if not given:
        raise DatasetError("no slices were given; name a slice, a patient's folder, or a folder of patients")
    for path in given:
        listed: dict[Path, dict[Path, None]] = {}
        for file in _slices(path):
            listed.setdefault(file.parent, {})[file] = None
        for folder, files in listed.items():
            known = found.get(folder, {})
            found[folder] = files | known if path.is_dir() else known | files
        if path.is_dir():
            whole.update(listed)
    if not found:
        raise DatasetError(
            f"{given[0]}: only masks ('*{MASK_ENDING}') were given; name the slices themselves, or the patient's folder"
        )
    cases = tuple(
        Case(patient=folder.name or _UNNAMED_PATIENT, folder=folder, slices=tuple(files), volume=folder in whole)
        for folder, files in found.items()
    )
    _require_distinct(cases)
    return cases


def _slices(path: Path) -> Iterator[Path]:
    if path.is_dir():
        files = list(_walk(path.resolve(), set()))
        if not files:
            raise DatasetError(
                f"{path}: the folder holds no slices ({', '.join(sorted(SUFFIXES))}, other than '*{MASK_ENDING}'); "
                "name a patient's folder or a folder of patients"
            )
        yield from files
    elif path.exists():
        if not path.stem.endswith(MASK_ENDING):
            yield path.parent.resolve() / path.name
    else:
        raise DatasetError(f"{path}: there is no such file or folder; check the path")


def _walk(folder: Path, seen: set[Path]) -> Iterator[Path]:
    if folder in seen:
        return
    seen.add(folder)
    try:
        files, folders = visible_files(folder, SUFFIXES), visible_folders(folder)
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be read ({error.strerror}); change its permissions") from error
    yield from (file for file in files if not file.stem.endswith(MASK_ENDING))
    for below in folders:
        yield from _walk(below.resolve(), seen)


def _require_distinct(cases: tuple[Case, ...]) -> None:
    folders: dict[str, Path] = {}
    for case in cases:
        other = folders.setdefault(case.patient, case.folder)
        if other != case.folder:
            raise DatasetError(
                f"{other} and {case.folder} both claim patient '{case.patient}'; rename one, or run them separately "
                "with another --out"
            )
        stems: dict[str, Path] = {}
        for file in case.slices:
            twin = stems.setdefault(file.stem, file)
            if twin != file:
                raise DatasetError(
                    f"{twin} and {file} would both write {file.stem}{MASK_ENDING}.png; rename one or take it out"
                )
