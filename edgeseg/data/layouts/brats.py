"""BraTS: a folder for each patient with one NIfTI file for each sequence, and the tumour's parts as labels.

    ROOT/[HGG|LGG/]<patient>/<patient>_t1.nii.gz _t1ce _t2 _flair _seg      2018 to 2021: labels 1, 2, 4
    ROOT/<patient>/<patient>-t1n.nii.gz -t1c -t2w -t2f -seg                 since 2023: labels 1, 2, 3

Patients may lie in folders of folders. Sequences that no patient has are no channels of the set.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeseg.data.labels import Labels, chosen
from edgeseg.data.layouts.case_set import Case, CaseSet
from edgeseg.data.layouts.source import NiftiPart
from edgeseg.data.listing import visible_folders
from edgeseg.data.nifti import is_nifti, stem
from edgeseg.data.sequence_names import BRATS
from edgeseg.errors import DatasetError
from edgeseg.specs import Region, channel_set

NAME = "brats"
SHAPE = "DIR/<patient>/<patient>_t1.nii.gz _t1ce _t2 _flair _seg, or -t1n -t1c -t2w -t2f -seg"
_SEG = ("_seg", "-seg")
_DEEPEST = 3
LABELS = Labels(
    regions=(
        Region(name="necrosis", values=(1,)),
        Region(name="oedema", values=(2,)),
        Region(name="enhancing", values=(3, 4)),
    ),
    known=frozenset({1, 2, 3, 4}),
    twins=frozenset({3, 4}),
)
"""Of glioma: what enhances was 4 until 2021 and is 3 since; until 2016 3 was the core that does not enhance."""


def looks_like_brats(root: Path) -> bool:
    """Whether a folder holds a patient with a file that ends in `_seg.nii` or `-seg.nii`."""
    return next(_patients(root), None) is not None


def open_brats(root: Path, labels: str | None) -> CaseSet:
    """List the patients.

    Raises:
        DatasetError: when there is none, or one has a sequence twice.
        OptionError: for labels that cannot be read.
    """
    found = {folder.name: files for folder, files in _patients(root)}
    folders = [folder for folder, _ in _patients(root)]
    if len(found) != len(folders):
        twice = next(f.name for f in folders if sum(other.name == f.name for other in folders) > 1)
        raise DatasetError(f"{root}: patient '{twice}' is in two folders; take one out")
    if not found:
        raise DatasetError(f"{root}: no patient of the layout '{NAME}' is there; it is {SHAPE}")
    by_name = {patient: _sequences(files) for patient, files in found.items()}
    names = tuple(name for name in BRATS if any(name in sequences for sequences in by_name.values()))
    if not names:
        raise DatasetError(f"{root}: masks are there and no sequence; the layout '{NAME}' is {SHAPE}")
    cases = []
    for folder in folders:
        sequences = by_name[folder.name]
        missing = {name: folder / f"{folder.name}{BRATS[name][_style(found[folder.name])]}.nii.gz" for name in names}
        paths = [sequences.get(name, missing[name]) for name in names]
        absent = folder / f"{folder.name}{_SEG[_style(found[folder.name])]}.nii.gz"
        seg = next((path for path in found[folder.name] if _is_seg(path)), absent)
        images = tuple(NiftiPart(path=path) for path in paths)
        cases.append(Case(patient=folder.name, images=images, mask=NiftiPart(path=seg)))
    return CaseSet(
        root,
        name=root.resolve().name,
        channels=channel_set(names),
        labels=chosen(LABELS, labels, str(root)),
        cases=cases,
        layout=NAME,
    )


def _patients(root: Path, depth: int = 0) -> Iterator[tuple[Path, list[Path]]]:
    """Folders that hold a file with an ending of BraTS, at most three below the root."""
    for folder in visible_folders(root):
        files = sorted(file for file in folder.iterdir() if is_nifti(file) and not file.name.startswith("."))
        if any(map(_is_seg, files)) or (depth and len(_sequences(files)) > 1):
            yield folder, files
        elif not files and depth < _DEEPEST:
            yield from _patients(folder, depth + 1)


def _is_seg(file: Path) -> bool:
    return stem(file).lower().endswith(_SEG)


def _sequences(files: list[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in files:
        for name, endings in BRATS.items():
            if stem(file).lower().endswith(endings):
                if name in found:
                    raise DatasetError(f"{file}: '{name}' is there twice, also as {found[name].name}; take one out")
                found[name] = file
    return found


def _style(files: list[Path]) -> int:
    """0 for the names of 2018 to 2021, 1 for the newer ones."""
    return int(any(stem(file).lower().endswith(("-seg", "-t1n", "-t1c", "-t2w", "-t2f")) for file in files))
