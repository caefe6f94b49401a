"""Open whatever holds one patient: slices, NIfTI or DICOM; the way in for Python programs.

Which series is which channel goes by evidence: words of descriptions and names, and attributes of headers. The words
stand in `edgeseg.data.recognise.table`, the rules in `edgeseg.data.recognise.rules`. Where two fit one channel equally,
or none fits one that is needed, the choice is the user's.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeseg.data.candidate import Candidate
from edgeseg.data.choose import Chosen, choose_series, doubt, find
from edgeseg.data.formats import FORMATS, format_of
from edgeseg.data.grey_stack import GreyStack
from edgeseg.data.nifti import open_nifti, pick, stem
from edgeseg.data.scan import SequenceScan
from edgeseg.data.sequence import Sequence
from edgeseg.data.strays import only_format, require_undamaged, stray_warnings, unused_of
from edgeseg.data.tree import PICTURES, Tree, read_tree
from edgeseg.errors import DatasetError, OptionError
from edgeseg.results import UnusedFiles, UsedSequence
from edgeseg.specs import LGG, ChannelSet, check_salt

Spacing = tuple[float, float, float | None]


@dataclass(slots=True, kw_only=True)
class _Found:
    """Sequences that are open, where they are from, and what was odd on the way."""

    channels: ChannelSet
    name: str = ""
    sequences: dict[str, Sequence] = field(default_factory=dict)
    used: list[UsedSequence] = field(default_factory=list)
    unused: list[UnusedFiles] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, channel: str, sequence: Sequence, *, series: str, files: int, why: tuple[str, ...]) -> None:
        """Take one sequence."""
        self.sequences[channel] = sequence
        used = UsedSequence(
            sequence=channel, input=sequence.kind, series=series, files=files, slices=sequence.shape[0], evidence=why
        )
        self.used.append(used)

    def open(self, channel: str, chosen: Chosen, *, asked: bool) -> None:
        """Open a series and take it."""
        one = chosen.candidate
        self.warnings += doubt(one, channel, self.channels.names) if asked else ()
        if one.facts.body_part:
            self.warnings.append(f"the header of '{channel}' says that it shows another part: {one.facts.body_part}")
        self.add(channel, one.open(), series=one.name, files=len(one.files), why=chosen.why)

    def close(self) -> None:
        """Close what is open."""
        for sequence in self.sequences.values():
            sequence.close()


def open_scan(
    path: str | Path | None = None,
    *,
    channels: ChannelSet = LGG,
    sequences: Mapping[str, str | Path] | None = None,
    volumes: tuple[str, ...] = (),
    spacing_mm: Spacing | None = None,
    salt: str | None = None,
    series: Mapping[str, str] | None = None,
    beside: tuple[tuple[UnusedFiles, ...], tuple[str, ...]] = ((), ()),
    same_patient: bool = False,
) -> SequenceScan:
    """Open one patient's sequences on the grid of the reference channel; close it, or use it in a `with` block.

    Args:
        path: a NIfTI file, which is 4-D where there are several channels, a folder with one NIfTI file per sequence, or
            a folder with the DICOM series of one study; else name the sequences one by one.
        channels: what a slice has to have, such as `channel_set` of a contract.
        sequences: by channels a NIfTI file, a folder with one DICOM series, or grey slices (a folder or a file).
        volumes: what the volumes of a 4-D file are; by default the channels in their order.
        spacing_mm: distances of rows, columns and slices in mm, for grey slices alone.
        salt: hashed with DICOM identifiers to name the patient, 16 random bytes at least; None draws one for this scan
            alone.
        series: by channels the number, UID or description of the series to take where a folder holds several.
        same_patient: take sequences whose headers name different patients for one patient's, and warn.
        beside: files beside the path that are told with it, and warnings of them.

    Raises:
        DataError: when something is missing, damaged, ambiguous, or does not belong together.
        MissingExtraError: without the extra `nifti` or `dicom`, where one is needed.
        OptionError: for options that contradict each other, or a salt that can be guessed.
    """
    asked, salt = dict(series or {}), secrets.token_hex(16) if salt is None else check_salt(salt)
    found, named = _Found(channels=channels), {name: Path(one) for name, one in (sequences or {}).items()}
    path = None if path is None else Path(path)
    channels.places((*named, *asked))
    try:
        if named:
            if path is not None:
                raise OptionError(
                    f"{path} was given beside --{next(iter(named))}; give a path or the sequences one by one, not both"
                )
            _named(found, named, asked, salt, same_patient=same_patient)
        elif path is None:
            raise OptionError(f"neither a path nor a sequence was given; name what to segment: {channels.options}")
        elif path.is_file():
            _four_dimensional(found, path, volumes)
        else:
            _folder(found, path, asked, salt, same_patient=same_patient)
        channels.require(found.sequences, str(path) if path is not None else found.name)
        if spacing_mm is not None and found.sequences[channels.reference].grid is not None:
            raise OptionError("--spacing was given and the files hold their own; leave it out")
        return SequenceScan(
            name=found.name,
            sequences=found.sequences,
            channels=channels,
            spacing_mm=spacing_mm,
            used=tuple(sorted(found.used, key=lambda one: channels.names.index(one.sequence))),
            unused=(*found.unused, *beside[0]),
            warnings=(*found.warnings, *beside[1]),
            same_patient=same_patient,
        )
    except BaseException:
        found.close()
        raise


def list_candidates(path: Path, salt: str = "") -> tuple[tuple[Candidate, ...], tuple[UnusedFiles, ...], Tree | None]:
    """List the series of one patient in a file or folder; none where it holds pictures alone.

    The second value are files that hold no image, the third is what lies in and below a folder.

    Raises:
        DatasetError: when the path does not exist, holds volumes of several kinds, or several folders of them.
        MissingExtraError: without the library that reads them.
    """
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder; check the path")
    tree = None if path.is_file() else read_tree(path)
    files: tuple[Path, ...] = (path,)
    if tree is None:
        kind = format_of(path)
    else:
        name = only_format(tree)
        if name is not None:
            require_undamaged(tree, name)
        kind = next((one for one in FORMATS if one.name == name), None)
        files = () if kind is None else tree.of(kind.name)
    if kind is None:
        return (), (), tree
    if not kind.whole_tree and len({file.parent for file in files}) > 1:
        files = tuple(file for file in files if file.parent == path)
        if not files:
            raise DatasetError(f"{path}: {kind.name} files lie in several folders below; name one of them")
    candidates, others = kind.list(files, salt)
    if not candidates:
        raise DatasetError(f"{path}: the folder holds no {kind.name} images; name the folder of a study or of a series")
    empty = [UnusedFiles(name=others[0].name, files=len(others), why=f"{kind.name} without an image")] if others else []
    below = len(tree.of(kind.name)) - len(files) if tree is not None else 0
    if below:
        empty.append(UnusedFiles(name="folders below", files=below, why=f"{kind.name} of another folder"))
    return candidates, tuple(empty), tree


def _folder(found: _Found, folder: Path, asked: dict[str, str], salt: str, *, same_patient: bool) -> None:
    candidates, empty, tree = list_candidates(folder, salt)
    if not candidates:
        raise DatasetError(f"{folder}: the folder holds no DICOM or NIfTI images; name the folder of a study")
    if not same_patient:
        _require_one_study(candidates, folder)
    chosen, rest = choose_series(candidates, str(folder), asked, found.channels)
    found.unused += [*rest, *empty, *(unused_of(tree) if tree else ())]
    found.warnings += stray_warnings(tree) if tree else ()
    for channel, one in chosen.items():
        found.open(channel, one, asked=channel in asked)
    study = chosen[found.channels.reference].candidate.origin.study
    found.name = folder.resolve().name if study is None else f"patient-{study}"


def _named(found: _Found, paths: Mapping[str, Path], asked: dict[str, str], salt: str, *, same_patient: bool) -> None:
    reference = found.channels.reference
    found.channels.require(paths, "the sequences that were named")
    if alone := [channel for channel in asked if channel not in paths]:
        raise OptionError(f"--{alone[0]}-series was given without --{alone[0]}; name both, or one path for all")
    for channel in sorted(paths, key=lambda name: name != reference):
        path = paths[channel]
        candidates, empty, tree = list_candidates(path, salt)
        found.unused += [*empty, *(unused_of(tree) if tree else ())]
        found.warnings += stray_warnings(tree) if tree else ()
        if not candidates:
            stack = GreyStack(path)
            if tree and (below := len(tree.of(PICTURES)) - stack.shape[0]):
                found.unused.append(UnusedFiles(name="folders below", files=below, why="pictures of another folder"))
                found.warnings.append(f"'{channel}': {below} pictures in folders below were not used")
            found.add(channel, stack, series=path.name, files=stack.shape[0], why=("named by the user",))
            study = None
        else:
            if not same_patient:
                _require_one_study(candidates, path)
            one = _single(candidates, path, channel, asked)
            found.open(channel, Chosen(candidate=one, why=("named by the user",)), asked=True)
            others = [other for other in candidates if other is not one]
            found.unused += [UnusedFiles(name=o.name, files=len(o.files), why="another was named") for o in others]
            study = one.origin.study
        if channel == reference:
            nifti = format_of(path) if path.is_file() else None
            found.name = f"patient-{study}" if study else stem(path) if nifti else path.resolve().stem


def _single(candidates: tuple[Candidate, ...], path: Path, channel: str, asked: Mapping[str, str]) -> Candidate:
    if channel in asked:
        return find(candidates, channel, asked[channel], str(path))
    if len(candidates) > 1:
        several = ", ".join(f"'{one.name}'" for one in candidates)
        raise DatasetError(
            f"{path}: {len(candidates)} series are mixed here ({several}); give each a folder of its own, or choose "
            f"one with --{channel}-series"
        )
    return candidates[0]


def _require_one_study(candidates: tuple[Candidate, ...], path: Path) -> None:
    for what, values in (
        ("patients", {one.origin.patient or one.origin.person for one in candidates}),
        ("studies", {one.origin.study for one in candidates}),
    ):
        if len(values) > 1:
            also = ", or add --same-patient where you know that it is one" if what == "patients" else ""
            raise DatasetError(
                f"{path}: the DICOM files are of {len(values)} {what}; give each a folder of its own, or name the "
                f"sequences of one, each with the option that is called like its channel{also}"
            )


def _four_dimensional(found: _Found, path: Path, volumes: tuple[str, ...]) -> None:
    sequences = open_nifti(path)
    try:
        if len(sequences) == 1 and not found.channels.complete(found.channels.names[:1]):
            raise DatasetError(
                f"{path}: the file holds one volume; name the sequences one by one with {found.channels.options}"
            )
        named = pick(sequences, volumes or found.channels.names, path, found.channels)
    except BaseException:
        sequences[0].close()
        raise
    found.name = stem(path)
    for channel, sequence in named.items():
        found.add(channel, sequence, series=path.name, files=1, why=("place in the file",))
