"""A network that has a name, as a folder: its record, its weights, and its converted files held to their digests."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgeseg import artifacts
from edgeseg.errors import ArtifactError, CheckpointError, OptionError
from edgeseg.jsonio import JsonFormatError, decode, from_json, of_this_version, read_document
from edgeseg.regular import stands
from edgeseg.results.networks import NetworkFile, NetworkFiles, NetworkRecord

RECORD_FILE, FILES_FILE, CARD_FILE, WEIGHTS_FILE = "network.json", "artifacts.json", "card.json", "weights.safetensors"
USUAL_TARGET = "onnx-int8"
"""The file that is meant where a network is named and no target is: what the base install runs."""
_MOST_COMMAND = 700
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
    def has_weights(self) -> bool:
        """Whether its float weights are there; a network that is there to be compared can ship its files alone."""
        return (self.folder / WEIGHTS_FILE).is_file()

    @property
    def weights(self) -> Path:
        """Its weights, which `edgeseg.checkpoint.read_checkpoint` reads, held to the digest of its record.

        A `ship --replace` that is killed half-way leaves weights beside the record, card and choice of others.

        Raises:
            CheckpointError: when it ships without them, with the way to make them again.
            ArtifactError: when they are others than the record's.
        """
        if not self.has_weights:
            raise CheckpointError(
                f"the network '{self.name}' is there as converted files alone, without the float weights that this "
                f"needs; {_made_again(self.folder)}"
            )
        path = self.folder / WEIGHTS_FILE
        _require_digest(path, self.record.weights_sha256, f"the weights of '{self.name}'", own=self.own)
        return path

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
        return _read(NetworkFiles, path, own=self.own) if stands(path) else None

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
            raise ArtifactError(f"the network '{self.name}' in {self.folder} was not converted; " + self._way(target))
        listed = {one.target: one for one in found.files}
        if target not in listed:
            near = difflib.get_close_matches(target, listed, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise OptionError(
                f"the network '{self.name}' has no file of the target '{target}'; choose one of: "
                f"{', '.join(sorted(listed))}; or {self._way('TARGET')}.{hint}"
            )
        return _checked(self, listed[target])

    def _way(self, target: str) -> str:
        """Say how a file is made; without weights none can be."""
        if self.has_weights:
            return (
                f"make it with: edgeseg build --variant {self.name} --target {target}, which needs edgeseg[build], and "
                f"give the file in build/{self.name} in place of the name"
            )
        return f"since it is there without weights to build from, {_made_again(self.folder)}"


def opened(path: Path, *, own: bool) -> Network:
    """Open the folder of a network by its record; `own` says that it is the user's.

    Raises:
        ArtifactError: when it is damaged, or its name is not the folder's.
    """
    network = Network(record=_read(NetworkRecord, path, own=own), folder=path.parent, own=own)
    if network.name != path.parent.name:
        raise ArtifactError(
            f"{path} says that it is '{network.name}', and its folder is called '{path.parent.name}'; give the folder "
            "the name of its network"
        )
    return network


def _checked(network: Network, file: NetworkFile) -> Path:
    path = network.folder / file.file
    if not path.is_file():
        raise ArtifactError(f"{path} is missing, the {file.target} file of '{network.name}'; {_again(own=network.own)}")
    _require_digest(path, file.sha256, f"the {file.target} file of '{network.name}'", own=network.own)
    return path


def _require_digest(path: Path, sha256: str, what: str, *, own: bool) -> None:
    found = artifacts.sha256_file(path)
    if found != sha256:
        raise ArtifactError(
            f"{path} was altered: its SHA-256 is {found[:12]}..., and that of {what} is {sha256[:12]}...; "
            f"{_again(own=own)}"
        )


def _made_again(folder: Path) -> str:
    """Say how the weights of a network are trained again: by the command of its card, or where that stands."""
    try:
        command = str(json.loads(decode(read_document(folder / CARD_FILE)))["command"])
    except (OSError, JsonFormatError, ValueError, LookupError, TypeError):
        return "give a run of your own"
    way = f"train it again: {command}" if len(command) <= _MOST_COMMAND else f"'command' in {folder / CARD_FILE} has it"
    return f"{way}. Then give that run in its place"


def _again(*, own: bool) -> str:
    return "ship the network again with 'edgeseg ship'" if own else "install edgeseg again"


def _read(kind: type[_T], path: Path, *, own: bool) -> _T:
    try:
        return of_this_version(from_json(kind, read_document(path)))
    except (OSError, JsonFormatError, OptionError) as error:
        told = error.strerror if isinstance(error, OSError) else error
        way = "ship it again with 'edgeseg ship --replace', or take the folder away" if own else _again(own=own)
        raise ArtifactError(f"{path} is damaged ({told}); {way}") from error
