"""nnU-Net's raw data sets: `dataset.json`, a file for each channel of each case, and a label map for each case.

    ROOT/imagesTr/<case>_0000.nii.gz <case>_0001.nii.gz ...
    ROOT/labelsTr/<case>.nii.gz

A case is a patient. Files are NIfTI, PNG or TIFF, as `file_ending` says; a picture is a case of one slice. Where a
picture has as many planes as there are channels, all are in the file `_0000`. `imagesTs` has no masks and is passed
over.
"""

from __future__ import annotations

import re
from pathlib import Path

from edgeseg.data.layouts.case_set import Case, CaseSet
from edgeseg.data.layouts.dataset_json import FILE, DatasetJson
from edgeseg.data.layouts.source import NiftiPart, PictureSlices, Source, label_source
from edgeseg.data.listing import natural_key
from edgeseg.data.nifti import SUFFIXES as NIFTI
from edgeseg.data.slice_file import SUFFIXES as PICTURES
from edgeseg.errors import DatasetError

NAME = "nnunet"
SHAPE = "DIR/dataset.json, DIR/imagesTr/<case>_0000.nii.gz ..., DIR/labelsTr/<case>.nii.gz"
IMAGES, LABELS = "imagesTr", "labelsTr"
_NUMBERED = re.compile(r"(?P<case>.+)_(?P<channel>\d{4})")


def looks_like_nnunet(root: Path) -> bool:
    """Whether a folder has `dataset.json`, and in `imagesTr` files that end in a channel's number."""
    folder = root / IMAGES
    return (root / FILE).is_file() and folder.is_dir() and any(map(_numbered, folder.iterdir()))


def open_nnunet(root: Path, labels: str | None) -> CaseSet:
    """List the cases.

    Raises:
        DatasetError: when `dataset.json` cannot be used, or no case is there.
        OptionError: for labels that cannot be read.
    """
    told = DatasetJson.read(root)
    channels, ending = told.channels(), told.file_ending
    if ending.lower() not in (*NIFTI, *PICTURES):
        raise DatasetError(
            f"{told.path}: file_ending is '{ending}'; edgeseg reads {', '.join(sorted((*NIFTI, *PICTURES)))}: convert "
            "the files"
        )
    numbers = _cases(root / IMAGES, ending)
    masks = {_stem(file, ending): file for file in _files(root / LABELS, ending)}
    cases = []
    for case in sorted(numbers.keys() | masks.keys(), key=natural_key):
        mask = masks.get(case, root / LABELS / f"{case}{ending}")
        images = _images(root / IMAGES, case, numbers.get(case, set()), len(channels.names), ending)
        names = () if ending.lower() in NIFTI else (case,)
        cases.append(Case(patient=case, images=images, mask=label_source(mask), names=names))
    if not cases:
        raise DatasetError(f"{root}: no case is there whose files end in '{ending}'; the layout '{NAME}' is {SHAPE}")
    return CaseSet(
        root, name=root.resolve().name, channels=channels, labels=told.labels(labels), cases=cases, layout=NAME
    )


def _images(folder: Path, case: str, numbers: set[int], count: int, ending: str) -> tuple[Source, ...]:
    def path(number: int) -> Path:
        return folder / f"{case}_{number:04d}{ending}"

    if odd := sorted(number for number in numbers if number >= count):
        raise DatasetError(
            f"{path(odd[0])}: dataset.json names {count} channel(s), 0000 to {count - 1:04d}; take it out"
        )
    if ending.lower() in NIFTI:
        return tuple(NiftiPart(path=path(number)) for number in range(count))
    if count > 1 and numbers == {0}:
        return tuple(PictureSlices(files=(path(0),), band=band, bands=count) for band in range(count))
    return tuple(PictureSlices(files=(path(number),)) for number in range(count))


def _files(folder: Path, ending: str) -> list[Path]:
    if not folder.is_dir():
        raise DatasetError(f"{folder}: there is no such folder; the layout '{NAME}' is {SHAPE}")
    return [file for file in folder.iterdir() if file.name.endswith(ending) and not file.name.startswith(".")]


def _cases(folder: Path, ending: str) -> dict[str, set[int]]:
    """Which channels each case has."""
    found: dict[str, set[int]] = {}
    for file in _files(folder, ending):
        match = _NUMBERED.fullmatch(_stem(file, ending))
        if match is None:
            raise DatasetError(f"{file}: its name has no channel's number; it is to end in _0000, _0001 ...")
        found.setdefault(match["case"], set()).add(int(match["channel"]))
    return found


def _stem(file: Path, ending: str) -> str:
    return file.name.removesuffix(ending)


def _numbered(file: Path) -> bool:
    return re.search(r"_\d{4}\.", file.name) is not None
