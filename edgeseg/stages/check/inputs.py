"""What `edgeseg check` reads: the artifacts of builds, their and their contracts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.artifacts import BUILD_FILE, read_build
from edgeseg.data.volume import PHANTOM
from edgeseg.errors import ArtifactError, EdgeSegError, OptionError
from edgeseg.jsonio import to_plain
from edgeseg.results import GOOD_STATUS, ArtifactRow, BuildResult
from edgeseg.runtime.contract import read_contract
from edgeseg.specs import OUTPUTS, Contract, without_trust
from edgeseg.targets import keras_fp32

FILE_SUFFIXES = (".onnx", ".tflite", ".hdf5", ".ort")
CONTRACT_FIELDS = (
    "variant",
    "tier",
    "target",
    "layout",
    "channels",
    "height",
    "width",
    "normalisation",
    "scale",
    "threshold",
    "post_processing",
    "licence",
    "intended_use",
)
"""The fields of a contract that a device draws by or shows; hashes of data and golden cases follow from the weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedArtifact:
    """One artifact of a build; `path` is None where a failed stage left no file."""

    name: str
    row: ArtifactRow
    path: Path | None
    build: BuildResult


def artifact_name(row: ArtifactRow) -> str:
    """Name an artifact across builds: `<variant>/<target>`."""
    return f"{row.variant}/{row.target}"


def read_artifacts(places: Iterable[Path]) -> tuple[dict[str, CheckedArtifact], frozenset[str] | None]:
    """Read what there is to check: every artifact of a build folder or `build.json`, or single files of a build.

    Returns:
        All artifacts by name, and the names of those to check where single files alone were given, else None.

    Raises:
        ArtifactError: when there is no `build.json`, it is damaged or that of folds brought together, or a file or the
            scores of a row are missing.
        OptionError: when two builds hold an artifact of the same name.
    """
    found: dict[str, CheckedArtifact] = {}
    named: set[str] = set()
    whole = False
    folders: dict[Path, list[CheckedArtifact]] = {}
    for place in places:
        folder = _folder_of(place)
        if folder not in folders:
            folders[folder] = _whole(folder)
            for item in folders[folder]:
                if found.setdefault(item.name, item) is not item:
                    raise OptionError(f"{item.name} stands in two of the builds; check them one by one")
        if place.suffix in FILE_SUFFIXES:
            named.add(_named(place, folder, folders[folder]))
        else:
            whole = True
    return found, None if whole else frozenset(named)


def read_file_contract(path: Path) -> Contract:
    """Read the contract of an artifact of any format.

    Raises:
        EdgeSegError: when the file is damaged, or carries no contract that can be honoured.
    """
    if path.suffix.lower() == keras_fp32.TARGET.suffix:
        return keras_fp32.read_keras_contract(path)
    return read_contract(path)


def contract_fields(contract: Contract) -> dict[str, str]:
    """Return `CONTRACT_FIELDS` of a contract as compact JSON.

    So is `output` where it is not logits, and what says which masks there are where there are several; trust is not.
    """
    names = CONTRACT_FIELDS if contract.output == OUTPUTS[0] else (*CONTRACT_FIELDS, "output")
    if contract.regions:
        names = (*names, "classes", "regions", "exclusive")
    drawn = replace(contract, regions=without_trust(contract.regions))
    return {name: json.dumps(to_plain(getattr(drawn, name)), ensure_ascii=False) for name in names}


def contract_digest(fields: dict[str, str]) -> str:
    """Return the SHA-256 of contract fields in hex; their order does not matter."""
    return artifacts.sha256_bytes(json.dumps(fields, sort_keys=True).encode())


def _folder_of(place: Path) -> Path:
    """Return the build folder that a folder, a `build.json` or an artifact in it stands for."""
    if place.suffix not in FILE_SUFFIXES:
        return place if place.is_dir() or place.name != BUILD_FILE else place.parent
    folder = next((at for at in (place.parent, place.parent.parent) if (at / BUILD_FILE).is_file()), None)
    if folder is None:
        raise ArtifactError(
            f"{place}: there is no {BUILD_FILE} beside it or one folder up, so nothing is known of its scores; give "
            "the folder that 'edgeseg build --out' wrote"
        )
    return folder


def _whole(folder: Path) -> list[CheckedArtifact]:
    build = read_build(folder)
    if build.folds:
        raise ArtifactError(
            f"{folder} brings the builds of {build.folds} folds together and holds no file to check; give the folder "
            "of one fold in it"
        )
    return [_checked(row, folder, build) for row in build.artifacts if not row.ruled_out]


def _named(path: Path, folder: Path, items: list[CheckedArtifact]) -> str:
    for item in items:
        if (folder / item.row.path).resolve() == path.resolve():
            return item.name
    raise ArtifactError(f"{path}: {folder / BUILD_FILE} names no such artifact; build it again")


def _checked(row: ArtifactRow, folder: Path, build: BuildResult) -> CheckedArtifact:
    path, name = folder / row.path, artifact_name(row)
    there = path.is_file()
    if row.status == GOOD_STATUS:
        if not there:
            raise ArtifactError(
                f"{path}: named in {folder / BUILD_FILE} and not there; keep the whole build folder, or build it again"
            )
        if row.evaluation is None:
            raise ArtifactError(f"{folder / BUILD_FILE} holds no scores of {name}; build it again with --rebuild")
    return CheckedArtifact(name=name, row=row, path=path if there else None, build=build)


def fields_of(item: CheckedArtifact) -> dict[str, str] | str:
    """Return the contract fields of an artifact, or in one sentence why they cannot be read."""
    if item.path is None:
        return "there is no file"
    try:
        return contract_fields(read_file_contract(item.path))
    except EdgeSegError as error:
        return str(error)


def sound(row: ArtifactRow) -> bool:
    """Whether a build found nothing wrong with an artifact; on phantoms it may find none of the lesions."""
    return row.status == GOOD_STATUS and not _blind(row)


def said_of(row: ArtifactRow) -> str:
    """What a build says of an artifact, in one line."""
    if row.status == GOOD_STATUS and _blind(row):
        return "not fit to ship, it finds none of the lesions"
    return row.status


def _blind(row: ArtifactRow) -> bool:
    return row.finds_nothing and row.evaluation is not None and row.evaluation.data != PHANTOM
