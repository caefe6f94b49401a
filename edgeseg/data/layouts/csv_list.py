"""A CSV that lists files: a row for each slice that is a picture, or for each patient whose channels are NIfTI.

    patient,site,t1,t2,mask
    p1,A,images/p1_t1.nii.gz,images/p1_t2.nii.gz,masks/p1.nii.gz

`patient` and `mask` must be there, `site` may be. Each other column that names files in its first row is a channel of
the column's name; `a+b+c` is a picture whose planes are those channels. Other columns are passed over. Paths are
relative to the CSV, and none leads out of its folder. Slices are taken in the order of the rows.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from edgeseg.data.labels import chosen
from edgeseg.data.layouts.case_set import Case, CaseSet
from edgeseg.data.layouts.inside import inside
from edgeseg.data.layouts.source import NiftiPart, PictureLabels, PictureSlices, Source
from edgeseg.data.nifti import SUFFIXES as NIFTI
from edgeseg.data.nifti import is_nifti
from edgeseg.data.sequence_names import channel_names
from edgeseg.data.slice_file import SUFFIXES as PICTURES
from edgeseg.data.table_file import MARKS, MASK, PATIENT, SITE, Table, fixed, one_ending, read_table
from edgeseg.errors import DatasetError, OptionError
from edgeseg.jsonio import JsonFormatError, decode
from edgeseg.specs import ChannelSet, channel_set

NAME = "csv"
SHAPE = "DIR/<any>.csv with the columns patient, mask and one for each channel; site if known"
_LOOKED_AT = 65_536
_ENDINGS = (*NIFTI, *sorted(PICTURES))


def csv_of(root: Path) -> Path | None:
    """Return the one CSV of a folder whose first line has the columns that are needed, or the file that was given."""
    if root.is_file():
        return root if root.suffix.lower() == ".csv" else None
    return next((file for file in _lists(root) if _head(file) >= {PATIENT, MASK}), None)


def half_a_list(root: Path) -> Path | None:
    """Return a CSV of a folder that names images, and patients or masks and not both; None where there is none."""
    return next((file for file in _lists(root) if _head(file) & {PATIENT, MASK} and _names_images(file)), None)


def looks_like_csv(root: Path) -> bool:
    """Whether it is a CSV, or a folder with one that has the columns `patient` and `mask`."""
    return csv_of(root) is not None


def open_csv(root: Path, labels: str | None) -> CaseSet:
    """List the patients.

    Raises:
        DatasetError: when a column is missing, a path leads out of the folder, or a patient is of two sites.
        OptionError: for labels that cannot be read.
    """
    path = csv_of(root)
    if path is None:
        raise DatasetError(f"{root}: no CSV with the columns '{PATIENT}' and '{MASK}' is there; the layout is {SHAPE}")
    table = read_table(path, (PATIENT, MASK))
    columns, folder = _channel_columns(table), path.parent
    if not columns:
        raise DatasetError(f"{path}: no column names images ({', '.join(_ENDINGS)}); add one for each channel")
    of_patient: dict[str, list[dict[str, str]]] = {}
    for row in table.rows:
        of_patient.setdefault(row[PATIENT], []).append(row)
    cases = [_case(path, folder, patient, rows, columns) for patient, rows in of_patient.items()]
    return CaseSet(
        folder,
        name=path.stem,
        channels=_channels(path, columns),
        labels=chosen(None, labels, str(path)),
        cases=cases,
        layout=NAME,
    )


def _lists(root: Path) -> list[Path]:
    return [file for file in sorted(root.iterdir()) if file.suffix.lower() == ".csv" and file.is_file()]


def _channel_columns(table: Table) -> tuple[str, ...]:
    """The columns that name files, the mask left out."""
    own = (PATIENT, MASK, SITE)
    return tuple(c for c in table.columns if c not in own and table.rows[0][c].lower().endswith(_ENDINGS))


def _channels(path: Path, columns: tuple[str, ...]) -> ChannelSet:
    called = tuple(name for column in columns for name in column.split("+"))
    try:
        return channel_set(channel_names(called))
    except OptionError as error:
        raise DatasetError(f"{path}: {error}; rename the columns") from error


def _case(path: Path, folder: Path, patient: str, rows: list[dict[str, str]], columns: tuple[str, ...]) -> Case:
    sites = sorted({row.get(SITE, "") for row in rows})
    if len(sites) > 1:
        raise DatasetError(
            f"{path}: patient '{patient}' is of two sites, '{sites[0]}' and '{sites[1]}'; a patient belongs to one, so "
            "correct the rows"
        )
    images: list[Source] = []
    for column in columns:
        files = tuple(_file(path, folder, patient, row, column) for row in rows)
        if len(set(files)) != len(files):
            twice = next(file for file in files if files.count(file) > 1)
            raise DatasetError(f"{path}: {twice.name} is in two rows of patient '{patient}'; list each slice once")
        images += _sources(path, patient, files, column.count("+") + 1)
    masks = tuple(_file(path, folder, patient, row, MASK) for row in rows)
    volume = isinstance(images[0], NiftiPart)
    if any(is_nifti(mask) != volume for mask in masks):
        raise DatasetError(f"{path}: {masks[0]} is of another kind than the images of '{patient}'; both must be NIfTI")
    mask: Source = NiftiPart(path=masks[0]) if volume else PictureLabels(files=masks)
    names = () if volume else tuple(file.stem for file in images[0].files)
    if len(set(names)) != len(names):
        names = tuple(f"slice_{number:03d}" for number in range(1, len(rows) + 1))
    return Case(patient=patient, images=tuple(images), mask=mask, site=sites[0], names=names)


def _sources(path: Path, patient: str, files: tuple[Path, ...], planes: int) -> list[Source]:
    volumes = [file for file in files if is_nifti(file)]
    if not volumes:
        return [PictureSlices(files=files, band=band, bands=planes) for band in range(planes)]
    if len(files) > 1:
        raise DatasetError(
            f"{path}: patient '{patient}' has {len(files)} rows, and {volumes[0].name} is a whole volume; give it one, "
            "and call a second visit a patient of its own"
        )
    return [NiftiPart(path=files[0], volume=volume, of=planes) for volume in range(planes)]


def _file(path: Path, folder: Path, patient: str, row: dict[str, str], column: str) -> Path:
    text = row.get(column, "")
    if not text:
        raise DatasetError(f"{path}: a row of patient '{patient}' names no file in the column '{column}'; fill it in")
    return inside(folder, text, f"{path}, patient '{patient}'")


def _names_images(path: Path) -> bool:
    """Whether a cell of the first rows of a CSV ends as images do."""
    cells = (cell for mark in MARKS for row in _first_rows(path) for cell in row.split(mark))
    return any(cell.strip().lower().endswith(_ENDINGS) for cell in cells)


def _head(path: Path) -> set[str]:
    line = next((row for row in _first_rows(path) if row.strip()), "")
    return {fixed(cell.strip().strip('"')) for mark in MARKS for cell in line.split(mark)}


def _first_rows(path: Path) -> list[str]:
    """The whole lines among a file's first bytes; none where it cannot be read.

    What is in no encoding that a CSV may have is read as Latin-1, so that it is recognised and refused with the reason.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(_LOOKED_AT)
        wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        rest = 0 if wide or len(start) < _LOOKED_AT else len(start) - start.rfind(b"\n")
    except OSError:
        return []
    whole = start[: len(start) - rest]
    try:
        text = decode(whole)
    except JsonFormatError:
        text = whole.decode("latin-1")
    return one_ending(text).split("\n")
