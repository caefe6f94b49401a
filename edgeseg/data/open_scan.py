"""Open whatever holds one patient: slices, NIfTI or DICOM; the way in for Python programs.

Which sequence is which goes by plain rules. NIfTI files in a folder go by their names, DICOM series by their
descriptions; both are taken apart into words at everything that is no letter or digit, in lower case:

- FLAIR: a word that holds `flair` (or is `t2f`), of a series with or without contrast agent;
- post: not FLAIR; a word that begins with `t1ce`, `t1gd` or `t1c`, or is `post`, `gd`, `gad`, `contrast`, `ce`, `kmc`,
  or `+c`, `c+`, `+gd`; for DICOM also a series whose header names a contrast agent;
- pre: not FLAIR nor post; a word that begins with `t1`, or is `pre`, `mprage`, `spgr`, `fspgr` or `bravo`.

Localisers, subtractions, masks and segmentations are passed over. Where two fit one sequence, or none fits FLAIR, the
choice is the user's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from edgeseg.data.dicom import open_dicom_series
from edgeseg.data.dicom_files import holds_dicom
from edgeseg.data.grey_stack import GreyStack
from edgeseg.data.listing import visible_files
from edgeseg.data.nifti import NiftiSequence, is_nifti, open_nifti, pick, stem
from edgeseg.data.scan import SequenceScan
from edgeseg.data.sequence import Sequence
from edgeseg.errors import DatasetError, OptionError
from edgeseg.specs import CHANNELS

Named = TypeVar("Named")
Spacing = tuple[float, float, float | None]
_PASSED_OVER = re.compile(
    r"\b(seg\w*|mask|label\w*|loc\w*|scout|survey|subtract\w*|adc|dwi|dti|mip|mpr|swi|perf\w*|dce|dsc)\b"
)
_FLAIR = re.compile(r"\b\w*flair\w*\b|\bt2f\b")
_POST = re.compile(r"\bt1(ce|gd|c)\w*|\b(post|gd|gad|contrast|ce|kmc)\b|\+ ?(c|gd)|\bc ?\+")
_PRE = re.compile(r"\bt1\w*|\b(pre|mprage|f?spgr|bravo)\b")


def open_scan(
    path: Path | None = None,
    *,
    pre: Path | None = None,
    flair: Path | None = None,
    post: Path | None = None,
    volumes: tuple[str, ...] = (),
    spacing_mm: Spacing | None = None,
    salt: str | None = None,
) -> SequenceScan:
    """Open one patient as three sequences on FLAIR's grid; close it, or use it in a `with` block.

    Args:
        path: a 4-D NIfTI file, a folder with one NIfTI file per sequence, or a folder with the DICOM series of one
            study; else name the sequences one by one.
        pre: a NIfTI file, a folder with one DICOM series, or grey slices (a folder or a file); likewise the others.
        flair: the sequence whose grid the masks are on.
        post: the sequence with contrast agent.
        volumes: what the volumes of a 4-D file are; by default `pre, flair, post`.
        spacing_mm: distances of rows, columns and slices in mm, for grey slices alone.
        salt: hashed with DICOM identifiers to name the patient; None draws a new one.

    Raises:
        DataError: when something is missing, damaged, ambiguous, or does not belong together.
        MissingExtraError: without the extra `nifti` or `dicom`, where one is needed.
        OptionError: for options that contradict each other.
    """
    if flair is not None:
        if path is not None:
            raise OptionError(f"{path} was given beside --flair; give a path or the sequences one by one, not both")
        name, found = _named(pre=pre, flair=flair, post=post, salt=salt)
    elif path is None:
        raise OptionError("neither a path nor FLAIR was given; name what to segment")
    elif path.is_file():
        name, found = stem(path), _four_dimensional(path, volumes)
    elif has_nifti(path):
        name, found = path.resolve().name, _nifti_folder(path)
    else:
        name, found = _dicom_folder(path, salt)
    try:
        if spacing_mm is not None and found["flair"].grid is not None:
            raise OptionError("--spacing was given and the files hold their own; leave it out")
        return SequenceScan(
            name=name, flair=found["flair"], pre=found.get("pre"), post=found.get("post"), spacing_mm=spacing_mm
        )
    except BaseException:
        for sequence in found.values():
            sequence.close()
        raise


def has_nifti(folder: Path) -> bool:
    """Whether NIfTI files lie directly in a folder."""
    return bool(_nifti_files(folder))


def choose_sequences(described: Iterable[tuple[str, Named]], source: str) -> dict[str, Named]:
    """Choose pre, FLAIR and post by their descriptions; see the module for the rule.

    Raises:
        DatasetError: when two fit one sequence, or none fits FLAIR.
    """
    found: dict[str, list[tuple[str, Named]]] = {channel: [] for channel in CHANNELS}
    seen = []
    for text, item in described:
        seen.append(text)
        if channel := _which(text):
            found[channel].append((text, item))
    advice = "name them with --pre, --flair and --post"
    for channel, fitting in found.items():
        if len(fitting) > 1:
            several = ", ".join(f"'{text}'" for text, _ in fitting)
            raise DatasetError(f"{source}: {len(fitting)} fit '{channel}': {several}; {advice}")
    if not found["flair"]:
        several = ", ".join(f"'{text}'" for text in seen) or "nothing"
        raise DatasetError(f"{source}: none of {several} is FLAIR by its name, and FLAIR is needed; {advice}")
    return {channel: fitting[0][1] for channel, fitting in found.items() if fitting}


def _which(text: str) -> str | None:
    words = " ".join(re.findall(r"[a-z0-9+]+", text.lower()))
    if _PASSED_OVER.search(words):
        return None
    for channel, pattern in (("flair", _FLAIR), ("post", _POST), ("pre", _PRE)):
        if pattern.search(words):
            return channel
    return None


def _named(*, pre: Path | None, flair: Path, post: Path | None, salt: str | None) -> tuple[str, dict[str, Sequence]]:
    found: dict[str, Sequence] = {}
    name = stem(flair) if is_nifti(flair) else flair.resolve().stem
    try:
        for channel, path in (("flair", flair), ("pre", pre), ("post", post)):
            if path is not None:
                alias, found[channel] = _open_sequence(path, salt)
                name = alias if channel == "flair" and alias is not None else name
    except BaseException:
        for sequence in found.values():
            sequence.close()
        raise
    return name, found


def _open_sequence(path: Path, salt: str | None) -> tuple[str | None, Sequence]:
    """Open one sequence; the first value is the patient's hash where the files are DICOM."""
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder; check the path")
    if is_nifti(path):
        sequences = open_nifti(path)
        if len(sequences) != 1:
            sequences[0].close()
            raise DatasetError(f"{path}: the file holds {len(sequences)} volumes; give it without --flair, as one path")
        return None, sequences[0]
    if path.is_dir() and has_nifti(path):
        files = _nifti_files(path)
        if len(files) != 1:
            raise DatasetError(f"{path}: the folder holds {len(files)} NIfTI files; name the one that is meant")
        return _open_sequence(files[0], salt)
    if holds_dicom(path):
        (series,) = open_dicom_series(path, salt=salt, single=True)
        return series.alias, series
    return None, GreyStack(path)


def _four_dimensional(path: Path, volumes: tuple[str, ...]) -> dict[str, Sequence]:
    sequences = open_nifti(path)
    try:
        if len(sequences) == 1:
            raise DatasetError(
                f"{path}: the file holds one volume; name the sequences one by one with --pre, --flair and --post"
            )
        return dict(pick(sequences, volumes or CHANNELS, path))
    except BaseException:
        sequences[0].close()
        raise


def _nifti_files(folder: Path) -> list[Path]:
    try:
        return [file for file in visible_files(folder, (".nii", ".gz")) if is_nifti(file)]
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be read ({error.strerror}); change its permissions") from error


def _nifti_folder(folder: Path) -> dict[str, Sequence]:
    files = choose_sequences(((stem(file), file) for file in _nifti_files(folder)), str(folder))
    found: dict[str, Sequence] = {}
    try:
        for channel, file in files.items():
            sequences: tuple[NiftiSequence, ...] = open_nifti(file)
            found[channel] = sequences[0]
            if len(sequences) != 1:
                raise DatasetError(f"{file}: the file holds {len(sequences)} volumes; a sequence is one")
    except BaseException:
        for sequence in found.values():
            sequence.close()
        raise
    return found


def _dicom_folder(folder: Path, salt: str | None) -> tuple[str, dict[str, Sequence]]:
    series = open_dicom_series(folder, salt=salt)
    found = choose_sequences(((one.description, one) for one in series), str(folder))
    return series[0].alias, {channel: one.checked() for channel, one in found.items()}
