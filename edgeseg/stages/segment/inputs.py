"""Which scans `edgeseg run` was asked for, and whose they are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeseg.data.dicom_files import holds_dicom
from edgeseg.data.listing import visible_files, visible_folders
from edgeseg.data.nifti import is_nifti
from edgeseg.data.open_scan import has_nifti, open_scan
from edgeseg.data.scan import Scan
from edgeseg.data.slice_file import SUFFIXES
from edgeseg.data.slice_scan import SliceScan
from edgeseg.errors import DatasetError, OptionError
from edgeseg.specs import RunOptions
from edgeseg.stages.segment.masks import MASK_ENDING

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One scan that is still closed.

    Attributes:
        source: for messages.
        slices: how many it has, as far as that is known before it is opened; else 0.
        open: opens it.
        folder: where its slices are, for slices.
    """

    source: str
    slices: int
    open: Callable[[], Scan]
    folder: Path | None = None


def plan(paths: Iterable[Path], options: RunOptions) -> tuple[Planned, ...]:
    """Find the scans that paths and options stand for.

    A NIfTI file is a 4-D one; a folder with NIfTI files in it is one patient, and so is each such folder below one that
    has none; a folder without slices or NIfTI files, but with DICOM files, is one study. All else goes to `find_cases`.

    Raises:
        DatasetError: when a path does not exist or holds nothing to segment.
        OptionError: for paths beside sequences that are named one by one.
    """
    given = tuple(dict.fromkeys(paths))
    spacing, salt = options.spacing_mm, options.salt
    if options.flair is not None:
        if given:
            raise OptionError(f"{given[0]} was given beside --flair; give paths or the sequences one by one, not both")
        opened = functools.partial(
            open_scan, pre=options.pre, flair=options.flair, post=options.post, spacing_mm=spacing, salt=salt
        )
        return (Planned(source=str(options.flair), slices=0, open=opened),)
    pictures, planned = [], []
    for path in given:
        volumes = [path] if path.is_file() and is_nifti(path) else _volume_folders(path)
        if not volumes:
            pictures.append(path)
        for one in volumes:
            opened = functools.partial(open_scan, one, volumes=options.volumes, spacing_mm=spacing, salt=salt)
            planned.append(Planned(source=str(one), slices=0, open=opened))
    if pictures or not planned:
        planned += [_planned(case, spacing) for case in find_cases(pictures)]
    return tuple(planned)


def _planned(case: Case, spacing: tuple[float, float, float | None] | None) -> Planned:
    opened = functools.partial(SliceScan, case.patient, case.slices, volume=case.volume, spacing_mm=spacing)
    return Planned(source=str(case.folder), slices=len(case.slices), open=opened, folder=case.folder)


def _volume_folders(path: Path) -> list[Path]:
    """List the folders that are one patient in NIfTI or DICOM each; none where a path stands for slices."""
    if not path.is_dir():
        if path.is_file() and holds_dicom(path):
            raise DatasetError(
                f"{path}: one DICOM file is no volume; name the folder that holds the study or the series"
            )
        return []
    if found := list(_nifti_folders(path.resolve(), set())):
        return found
    if next(_walk(path.resolve(), set()), None) is None and holds_dicom(path):
        return [path]
    return []


def _nifti_folders(folder: Path, seen: set[Path]) -> Iterator[Path]:
    if folder in seen:
        return
    seen.add(folder)
    if has_nifti(folder):
        yield folder
        return
    try:
        below = visible_folders(folder)
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be read ({error.strerror}); change its permissions") from error
    for one in below:
        yield from _nifti_folders(one.resolve(), seen)


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
