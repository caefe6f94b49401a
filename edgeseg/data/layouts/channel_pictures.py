"""Slices and masks in paired folders, of any number of channels: grey pictures, `_0000` files, or planes of a picture.

    ROOT/images/<patient>/<slice>.png           one grey channel, or the planes of a picture,
    ROOT/masks/<patient>/<slice>.png            or <slice>_0000.png, <slice>_0001.png ... with one mask
    ROOT/<patient>/<slice>.png                  likewise side by side, with <slice>_mask.png

Slices are put in natural order. A set read this way has no sites.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from edgeseg.data.folder import MASK_ENDING, looks_like_paired_folder
from edgeseg.data.labels import chosen
from edgeseg.data.layouts.case_set import Case, CaseSet
from edgeseg.data.layouts.source import PictureLabels, PictureSlices, Source
from edgeseg.data.listing import natural_key, visible_files, visible_folders
from edgeseg.data.slice_file import SUFFIXES, count_planes
from edgeseg.errors import DatasetError, ImageError
from edgeseg.specs import LGG, ChannelSet, channel_set

NAME = "channels"
SHAPE = "DIR/images/<patient>/<slice>.png (grey, or _0000.png _0001.png ...) with DIR/masks/<patient>/<slice>.png"
_NUMBERED = re.compile(r"(?P<slice>.+)_(?P<channel>\d{4})")
_IMAGES, _MASKS = "images", "masks"
_LOOKED_AT = 9


@dataclass(slots=True)
class _Found:
    """A patient's files: by slice and number of the channel, and masks by slice."""

    images: dict[str, dict[int, Path]] = field(default_factory=dict)
    masks: dict[str, Path] = field(default_factory=dict)


def looks_like_channels(root: Path) -> bool:
    """Whether paired folders hold anything but pictures of three planes that stand for one slice each.

    The first slices of some patients decide, so that one picture of another kind does not.
    """
    if not looks_like_paired_folder(root) and not _side_by_side(root):
        return False
    tree = root / _IMAGES if _two_trees(root) else root
    folders = [folder for folder in visible_folders(tree) if visible_files(folder, SUFFIXES)][:_LOOKED_AT]
    first = [next(iter(_of_patient(root, folder.name).images.values()), {}) for folder in folders]
    if any(max(numbers, default=0) > 0 for numbers in first):
        return True
    pictures = [numbers[0] for numbers in first if numbers]
    return bool(pictures) and _usual_planes(pictures) != 3


def open_channels(root: Path, labels: str | None) -> CaseSet:
    """List the patients.

    Raises:
        DatasetError: when there is none.
        OptionError: for labels that cannot be read.
    """
    found = {patient: one for patient, one in _patients(root).items() if one.images or one.masks}
    firsts = [next(iter(next(iter(one.images.values())).values())) for one in found.values() if one.images]
    if not firsts:
        raise DatasetError(f"{root}: no slices in paired folders are there; the layout '{NAME}' is {SHAPE}")
    numbers = sorted({number for one in found.values() for files in one.images.values() for number in files})
    planes = 1 if len(numbers) > 1 else max(1, _usual_planes(firsts[:_LOOKED_AT]))
    if numbers != list(range(len(numbers))):
        raise DatasetError(f"{root}: channels are numbered {numbers}; they are to be numbered from _0000 on")
    return CaseSet(
        root,
        name=root.resolve().name,
        channels=_channels(len(numbers), planes),
        labels=chosen(None, labels, str(root)),
        cases=[_case(patient, one, root, len(numbers), planes) for patient, one in found.items()],
        layout=NAME,
    )


def _channels(files: int, planes: int) -> ChannelSet:
    if files == 1 and planes == 3:
        return LGG
    if files == 1 and planes == 1:
        return channel_set(("grey",))
    return channel_set(tuple(f"channel-{number}" for number in range(max(files, planes))))


def _case(patient: str, found: _Found, root: Path, files: int, planes: int) -> Case:
    names = tuple(sorted(found.images.keys() | found.masks.keys(), key=natural_key))

    def of(number: int) -> tuple[Path, ...]:
        return tuple(
            found.images.get(name, {}).get(number, root / patient / (f"{name}_{number:04d}" if files > 1 else name))
            for name in names
        )

    images: list[Source] = [PictureSlices(files=of(number)) for number in range(files)]
    if planes > 1:
        images = [PictureSlices(files=of(0), band=band, bands=planes) for band in range(planes)]
    masks = tuple(found.masks.get(name, root / patient / f"{name}{MASK_ENDING}") for name in names)
    return Case(patient=patient, images=tuple(images), mask=PictureLabels(files=masks), names=names)


def _two_trees(root: Path) -> bool:
    return (root / _IMAGES).is_dir() and (root / _MASKS).is_dir()


def _side_by_side(root: Path) -> bool:
    """Whether a patient has `<slice>_0000.png` beside `<slice>_mask.png`."""
    return any(max(map(max, _of_patient(root, f.name).images.values()), default=0) for f in visible_folders(root))


def _patients(root: Path) -> dict[str, _Found]:
    trees = (root / _IMAGES, root / _MASKS) if _two_trees(root) else (root,)
    for tree in trees:
        if loose := visible_files(tree, SUFFIXES):
            raise DatasetError(
                f"{loose[0]}: it lies in no patient's folder; splits are by patient, so put each patient's slices in a "
                f"folder of its own: {SHAPE}"
            )
    return {name: _of_patient(root, name) for tree in trees for name in (f.name for f in visible_folders(tree))}


def _of_patient(root: Path, patient: str) -> _Found:
    """Sort a patient's files; `_0001` at the end of a name counts channels where the mask's name lacks it."""
    if _two_trees(root):
        images, masks = (_files(root / tree / patient) for tree in (_IMAGES, _MASKS))
    else:
        files = _files(root / patient)
        masks = [file for file in files if file.stem.endswith(MASK_ENDING)]
        images = [file for file in files if not file.stem.endswith(MASK_ENDING)]
    found = _Found()
    for file in masks:
        found.masks.setdefault(file.stem.removesuffix(MASK_ENDING), file)
    for file in images:
        match = None if file.stem in found.masks else _NUMBERED.fullmatch(file.stem)
        channel = match is not None and match["slice"] in found.masks
        name, number = (match["slice"], int(match["channel"])) if match and channel else (file.stem, 0)
        found.images.setdefault(name, {}).setdefault(number, file)
    return found


def _files(folder: Path) -> list[Path]:
    return visible_files(folder, SUFFIXES) if folder.is_dir() else []


def _usual_planes(pictures: list[Path]) -> int:
    """How many planes most pictures have, at least one picture; the fewer where two numbers are as frequent."""
    found = Counter(map(_planes, pictures))
    return min(found, key=lambda planes: (-found[planes], planes))


def _planes(path: Path) -> int:
    """How many planes a picture has; 3 where it cannot be read, so that the reader of such sets says what is wrong."""
    try:
        return count_planes(path)
    except ImageError:
        return 3
