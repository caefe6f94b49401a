"""Which scans `edgeseg run` was asked for, and whose they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edgeseg.data.formats import FORMATS, format_of
from edgeseg.data.listing import visible_files, visible_folders
from edgeseg.data.nifti import stem
from edgeseg.data.scan import SourcedScan
from edgeseg.data.slice_file import SUFFIXES
from edgeseg.data.strays import beside, only_format, require_undamaged, stray_warnings, unused_of
from edgeseg.data.tree import MASK_ENDING, Tree, read_tree
from edgeseg.data.units import study_folders
from edgeseg.errors import DatasetError, OptionError
from edgeseg.specs import LGG, ChannelSet, RunOptions
from edgeseg.stages.segment.names import called_apart
from edgeseg.stages.segment.request import ScanRequest

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
        open: opens it in this process.
        folder: where its slices are, for slices.
        paths: the files and folders that it is read from.
        request: what `open` opens, in plain values; None where it only raises why it cannot be opened.
        name: what its patient will be called, where that is known before it is opened.
        called: what it is called in place of its own name, which another below the same folder has too.
    """

    source: str
    slices: int
    open: Callable[[], SourcedScan]
    folder: Path | None = None
    paths: tuple[Path, ...] = ()
    request: ScanRequest | None = None
    name: str | None = None
    called: str | None = None


def plan(paths: Iterable[Path], options: RunOptions, channels: ChannelSet = LGG) -> tuple[Planned, ...]:
    """Find the scans that paths and options stand for.

    A file of volumes holds all sequences of one patient; a folder with files of volumes in it is one patient, and so is
    each such folder below one that has none; DICOM files in and below a folder are one study, or where each of several
    studies has folders of its own, one each. All else goes to `find_cases`.

    Raises:
        DatasetError: when a path does not exist or holds nothing to segment, or volumes of several kinds.
        OptionError: for paths beside sequences that are named one by one.
    """
    given, series = tuple(dict.fromkeys(paths)), dict(options.series)
    channels.places((*options.sequences, *series))
    asked = ScanRequest(
        channels=channels,
        spacing_mm=options.spacing_mm,
        salt=options.salt,
        series=series,
        same_patient=options.same_patient,
    )
    if options.sequences:
        return (_one_by_one(options.sequences, given, asked),)
    pictures: list[Path] = []
    planned: list[Planned] = []
    trees: dict[Path, Tree] = {}
    for path in given:
        tree = read_tree(path) if path.is_dir() else None
        volumes = _volumes(path, tree, asked=asked)
        if not volumes:
            pictures.append(path)
        if tree is not None:
            trees[path.resolve()] = tree
        planned += _each(volumes, tree, asked, options)
    if pictures or not planned:
        if series:
            raise OptionError(
                f"--{next(iter(series))}-series was given and {given[0] if given else 'nothing'} holds pictures"
            )
        planned += [_planned(case, asked, trees) for case in find_cases(pictures)]
    return tuple(planned)


def _each(volumes: list[Path], tree: Tree | None, asked: ScanRequest, options: RunOptions) -> Iterator[Planned]:
    """Plan files or folders of volumes; what lies beside them is named with the first."""
    whole_tree = tree is not None and _is_whole(tree)
    called = {} if tree is None or whole_tree else called_apart(tree.root, volumes)
    for one in volumes:
        first = tree is not None and len(volumes) > 1 and one == volumes[0]
        unused, warned = beside(tree, volumes) if tree is not None and first else ((), ())
        whole = replace(asked, path=str(one), volumes=options.volumes, unused=unused, warnings=warned)
        yield Planned(
            source=str(one),
            slices=0,
            open=whole.open,
            paths=(one,),
            request=whole,
            name=None if whole_tree else called.get(one) or _name_of(one),
            called=called.get(one),
        )


def _one_by_one(sequences: Mapping[str, Path], given: tuple[Path, ...], asked: ScanRequest) -> Planned:
    """Plan the scan whose sequences are named."""
    if given:
        raise OptionError(
            f"{given[0]} was given beside --{next(iter(sequences))}; give paths or the sequences one by one, not both"
        )
    asked.channels.require(sequences, "the sequences that were named")
    on = sequences[asked.channels.reference]
    named = replace(asked, sequences={channel: str(path) for channel, path in sequences.items()})
    return Planned(
        source=str(on),
        slices=0,
        open=named.open,
        paths=tuple(sequences.values()),
        request=named,
        name=_name_of(on) if on.is_file() else None,
    )


def _planned(case: Case, plain: ScanRequest, trees: Mapping[Path, Tree]) -> Planned:
    """Plan the slices of a folder; what lies beside them is named with the first patient of the folder given."""
    tree = next((tree for root, tree in trees.items() if case.folder.is_relative_to(root)), None)
    asked = ScanRequest(
        slices=tuple(map(str, case.slices)),
        patient=case.patient,
        volume=case.volume,
        channels=plain.channels,
        spacing_mm=plain.spacing_mm,
        unused=() if tree is None else unused_of(tree, case.folder),
        warnings=() if tree is None else stray_warnings(tree, case.folder),
    )
    return Planned(
        source=str(case.folder),
        slices=len(case.slices),
        open=asked.open,
        folder=case.folder,
        paths=case.slices,
        request=asked,
        name=case.patient,
    )


def _name_of(path: Path) -> str:
    """Name the patient of a file or folder of volumes as `open_scan` does, where its header does not."""
    return stem(path) if path.is_file() and format_of(path) is not None else path.resolve().name


def plan_folders(path: Path) -> list[Path]:
    """List the files or folders of volumes, one patient each, that a path stands for; the path where there are none."""
    kind = format_of(path) if path.is_file() else None
    tree = read_tree(path) if path.is_dir() else None
    return [path] if kind is not None else _volumes(path, tree, asked=ScanRequest()) or [path]


def _volumes(path: Path, tree: Tree | None, *, asked: ScanRequest) -> list[Path]:
    """List the files or folders that are one patient's volumes each; none where a path stands for slices."""
    if tree is None:
        kind = format_of(path) if path.is_file() else None
        if kind is not None and kind.whole_tree:
            raise DatasetError(
                f"{path}: one {kind.name.upper()} file is no volume; name the folder that holds the study or the series"
            )
        return [] if kind is None else [path]
    name = only_format(tree)
    if name is None:
        return []
    if _is_whole(tree):
        named = asked.channels.reference in asked.series
        units = (
            [path]
            if asked.same_patient
            else study_folders(tree, name, channels=asked.channels, reference_is_named=named)
        )
    else:
        folders = list(dict.fromkeys(file.parent for file in tree.of(name)))
        units = [one for one in folders if not any(other != one and one.is_relative_to(other) for other in folders)]
    if len(units) == 1:
        require_undamaged(tree, name)
    beside(tree, units)
    return units


def _is_whole(tree: Tree) -> bool:
    """Whether all in and below a folder is one patient's, who is then called by the header."""
    name = only_format(tree)
    return any(one.name == name and one.whole_tree for one in FORMATS)


def find_cases(paths: Iterable[Path]) -> tuple[Case, ...]:
    """Find the slices that paths stand for.

    A file is a slice. A folder stands for every slice in it and below it, hidden folders aside. Files whose names end
    in `_mask` are passed over, so that the Kaggle layout and shell patterns such as `patient/*` work. The patient of a
    slice is the name of the folder it lies in, whether the file or the folder was given; where two below one folder
    have one name, its path from there on. What is given twice counts
    once.

    Raises:
        DatasetError: when a path does not exist or holds no slice, or when two folders claim one patient.
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
    called: dict[Path, str] = {}
    for path in given:
        if path.is_dir():
            root = path.resolve()
            called |= called_apart(root, (folder for folder in found if folder.is_relative_to(root)))
    cases = tuple(
        Case(
            patient=called.get(folder) or folder.name or _UNNAMED_PATIENT,
            folder=folder,
            slices=tuple(files),
            volume=folder in whole,
        )
        for folder, files in found.items()
    )
    _require_distinct(cases)
    return cases


def _slices(path: Path) -> Iterator[Path]:
    if path.is_dir():
        files = list(_walk(path.resolve(), set()))
        if not files:
            raise DatasetError(
                f"{path}: the folder holds no slices ({', '.join(sorted(SUFFIXES))}, other than '*{MASK_ENDING}'), "
                "and neither NIfTI (.nii, .nii.gz) nor DICOM; name a patient's folder or a folder of patients"
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
