"""The Medical Segmentation Decathlon: `dataset.json` lists files, each of which holds all channels of a patient.

ROOT/dataset.json         "modality", "labels", "training": [{"image": "./imagesTr/a.nii.gz", "label": ...}]
ROOT/imagesTr/a.nii.gz    3-D, or 4-D with the channels along the last axis
ROOT/labelsTr/a.nii.gz
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeseg.data.layouts.case_set import Case, CaseSet
from edgeseg.data.layouts.dataset_json import FILE, DatasetJson
from edgeseg.data.layouts.inside import inside
from edgeseg.data.layouts.source import NiftiPart
from edgeseg.data.nifti import stem
from edgeseg.errors import DatasetError

NAME = "msd"
SHAPE = 'DIR/dataset.json whose "training" lists the files, such as imagesTr/a.nii.gz and labelsTr/a.nii.gz'


def looks_like_msd(root: Path) -> bool:
    """Whether a folder has a `dataset.json` that lists the files of training."""
    if not (root / FILE).is_file():
        return False
    try:
        return isinstance(DatasetJson.read(root).content.get("training"), list)
    except DatasetError:
        return False


def open_msd(root: Path, labels: str | None) -> CaseSet:
    """List the patients.

    Raises:
        DatasetError: when `dataset.json` cannot be used, or names files outside the folder.
        OptionError: for labels that cannot be read.
    """
    told = DatasetJson.read(root)
    channels, listed = told.channels(), told.content.get("training")
    if not isinstance(listed, list) or not listed:
        raise DatasetError(f"{told.path}: \"training\" lists no files; the layout '{NAME}' is {SHAPE}")
    count = len(channels.names)
    cases = []
    for entry in listed:
        image, label = (_path(root, told.path, entry, key) for key in ("image", "label"))
        images = tuple(NiftiPart(path=image, volume=volume, of=count) for volume in range(count))
        cases.append(Case(patient=stem(image), images=images, mask=NiftiPart(path=label)))
    return CaseSet(
        root, name=root.resolve().name, channels=channels, labels=told.labels(labels), cases=cases, layout=NAME
    )


def _path(root: Path, told: Path, entry: Any, key: str) -> Path:
    text = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(text, str) or not text:
        raise DatasetError(f'{told}: an entry of "training" names no {key}; give {{"image": ..., "label": ...}}')
    return inside(root, text, str(told))
