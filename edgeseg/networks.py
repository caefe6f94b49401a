"""The networks that have a name: where they are, and their converted files, held to the digests they were made with.

A network is a folder `models/<name>/` with `network.json` (`edgeseg.results.networks.NetworkRecord`), its weights, and
where they were converted `artifacts.json` (`NetworkFiles`) with the files beside it. Such folders ship with edgeseg,
and a user's own lie in `edgeseg.artifacts.own_home`; of one name the user's own is taken.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgeseg import artifacts
from edgeseg.errors import ArtifactError, OptionError, UnknownNameError
from edgeseg.jsonio import JsonFormatError, from_json, read_document
from edgeseg.results.networks import NetworkFile, NetworkFiles, NetworkRecord
from edgeseg.specs import VariantSpec

RECORD_FILE, FILES_FILE, WEIGHTS_FILE, MODELS = "network.json", "artifacts.json", "weights.safetensors", "models"
USUAL_TARGET = "onnx-int8"
"""The file that is meant where a network is named and no target is: what the base install runs."""
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MOST_LETTERS = 40
_T = TypeVar("_T", NetworkRecord, NetworkFiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network on disk; `own` where it is the user's."""

    record: NetworkRecord
    folder: Path
    own: bool = False

    @property
    def name(self) -> str:
        """What people call it."""
        return self.record.name

    @property
    def weights(self) -> Path:
        """Its weights, which `edgeseg.checkpoint.read_checkpoint` reads."""
        return self.folder / WEIGHTS_FILE

    @property
    def home(self) -> Path:
        """The folder that holds `models/` and `calibration/`."""
        return self.folder.parents[1]

    def files(self) -> NetworkFiles | None:
        """Read which converted files there are; None where it was never converted.

        Raises:
            ArtifactError: when the list is damaged.
        """
        path = self.folder / FILES_FILE
        return _read(NetworkFiles, path, own=self.own) if path.is_file() else None

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that it was converted to."""
        found = self.files()
        return () if found is None else tuple(one.target for one in found.files)

    def file(self, target: str = USUAL_TARGET) -> Path:
        """Return the converted file of a target, held to the digest that it was made with.

        Raises:
            OptionError: for a target that it was not converted to.
            ArtifactError: when it was never converted, or the file is missing or altered.
        """
        found = self.files()
        if found is None or not found.files:
            raise ArtifactError(
                f"the network '{self.name}' in {self.folder} was not converted; make its files with: edgeseg build "
                f"--variant {self.name} --target {target}"
            )
        listed = {one.target: one for one in found.files}
        if target not in listed:
            near = difflib.get_close_matches(target, listed, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise OptionError(
                f"the network '{self.name}' has no file of the target '{target}'; choose one of: "
                f"{', '.join(sorted(listed))}, or make it: edgeseg build --variant {self.name} --target TARGET.{hint}"
            )
        return _checked(self, listed[target])


def check_name(name: str) -> str:
    """Return a name that a network can have.

    Raises:
        OptionError: when a folder or a command could not have it.
    """
    if not _NAME.fullmatch(name) or len(name) > _MOST_LETTERS:
        raise OptionError(
            f"name is '{name[:70]}'; small letters and digits with single hyphens between are needed, at most "
            f"{_MOST_LETTERS}, such as my-unet"
        )
    return name


def every() -> tuple[Network, ...]:
    """Return the networks that have a name, the user's own among them, the largest first.

    A folder of the user's own that is damaged is passed over (`damaged` has it), so that the others can be used.

    Raises:
        ArtifactError: when what says which of those that ship it is, is damaged.
    """
    found: dict[str, Network] = {}
    for path, own in _records():
        try:
            network = _open(path, own=own)
        except ArtifactError:
            if own:
                continue
            raise
        found.setdefault(network.name, network)
    return tuple(sorted(found.values(), key=lambda one: (-one.record.parameters, one.name)))


def damaged() -> dict[str, ArtifactError]:
    """Return what is wrong with folders of the user's own that hold no network that can be read, by their name."""
    found: dict[str, ArtifactError] = {}
    for path, own in _records():
        try:
            _open(path, own=own)
        except ArtifactError as error:
            if own:
                found[path.parent.name] = error
    return found


def names() -> tuple[str, ...]:
    """The names that are taken."""
    return tuple(network.name for network in every())


def named(name: str) -> Network | None:
    """Return the network of a name, or of the slug that its files carry; None where there is none.

    Raises:
        ArtifactError: when the folder of that name is damaged.
    """
    if (error := damaged().get(name)) is not None:
        raise error
    found = every()
    return next((one for one in found if one.name == name), None) or next(
        (one for one in found if one.record.slug == name and not one.own), None
    )


def get(name: str) -> Network:
    """Return the network of a name or a slug.

    Raises:
        UnknownNameError: with the nearest name.
    """
    if (found := named(name)) is None:
        raise UnknownNameError("network", name, names())
    return found


def of_variant(variant: VariantSpec) -> Network | None:
    """Return the network of this shape whose weights are taken where no others are given: one that ships first."""
    found = [one for one in every() if one.record.spec == variant]
    return min(found, key=lambda one: one.own, default=None)


def of_weights(sha256: str) -> Network | None:
    """Return the network of these very weights."""
    return next((one for one in every() if one.record.weights_sha256 == sha256), None)


def name_of_file(sha256: str) -> str:
    """Return the name of the network that a converted file belongs to, by its SHA-256; empty where none ships it."""
    for network in every():
        try:
            files = network.files()
        except ArtifactError:
            if network.own:
                continue
            raise
        if files is not None and any(one.sha256 == sha256 for one in files.files):
            return network.name
    return ""


def label(slug: str, sha256: str) -> str:
    """What to call the network of a converted file: its name, its slug beside it, or its slug alone."""
    name = name_of_file(sha256)
    return f"{name} ({slug})" if name and name != slug else slug


def artifact(model: Path) -> Path:
    """Return the file that a model argument means.

    A file's path is itself; else `NAME` is a network's `onnx-int8` file, and `NAME/TARGET` another of its files.

    Raises:
        UnknownNameError: for a word that is no file and no network, with the nearest name, or an unknown target.
        ArtifactError: when the network's file is missing or altered.
    """
    found = network_of(model)
    return model if found is None else found[0].file(found[1] or USUAL_TARGET)


def network_of(model: Path) -> tuple[Network, str] | None:
    """Return the network that an argument names, and its target, empty where none is named; None for a path.

    Raises:
        UnknownNameError: for a word that is neither.
        ArtifactError: for a path that no file can have.
    """
    try:
        there = model.is_file()
    except OSError as error:  # a name that no file can have
        raise ArtifactError(f"{str(model)[:100]}: there can be no file ({error.strerror}); check the path") from error
    if there or model.is_absolute() or len(model.parts) > 2 or not model.parts:
        return None
    name, target = model.parts[0], "" if len(model.parts) == 1 else model.parts[1]
    if (network := named(name)) is not None and not (target and "." in target):
        return network, target
    if len(model.parts) == 1 and "." not in name and not model.exists():
        raise UnknownNameError("network", name, names())
    return None


def _checked(network: Network, file: NetworkFile) -> Path:
    path = network.folder / file.file
    if not path.is_file():
        raise ArtifactError(f"{path} is missing, the {file.target} file of '{network.name}'; {_again(own=network.own)}")
    found = artifacts.sha256_file(path)
    if found != file.sha256:
        raise ArtifactError(
            f"{path} was altered: its SHA-256 is {found[:12]}..., and that of the {file.target} file of "
            f"'{network.name}' is {file.sha256[:12]}...; {_again(own=network.own)}"
        )
    return path


def _again(*, own: bool) -> str:
    return "ship the network again with 'edgeseg ship'" if own else "install edgeseg again"


def _records() -> Iterator[tuple[Path, bool]]:
    """What says which network it is, in every folder that is looked in, and whether the folder is the user's own."""
    for home in artifacts.homes():
        for path in sorted((home / MODELS).glob(f"*/{RECORD_FILE}")):
            yield path, home != artifacts.shipped()


def _open(path: Path, *, own: bool) -> Network:
    network = Network(record=_read(NetworkRecord, path, own=own), folder=path.parent, own=own)
    if network.name != path.parent.name:
        raise ArtifactError(
            f"{path} says that it is '{network.name}', and its folder is called '{path.parent.name}'; give the folder "
            "the name of its network"
        )
    return network


def _read(kind: type[_T], path: Path, *, own: bool) -> _T:
    try:
        return from_json(kind, read_document(path))
    except (OSError, JsonFormatError, OptionError) as error:
        told = error.strerror if isinstance(error, OSError) else error
        way = "ship it again with 'edgeseg ship --replace', or take the folder away" if own else _again(own=own)
        raise ArtifactError(f"{path} is damaged ({told}); {way}") from error
