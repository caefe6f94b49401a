"""Networks that have a name: what `models/<name>/` says of each, and what `edgeseg networks` lists."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from edgeseg.errors import OptionError
from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import RESULT_SCHEMA_VERSION, Interval
from edgeseg.specs import ImageSpec, VariantSpec

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkClassScore:
    """Dice per patient of one of several classes, the mean with its 95 % interval."""

    name: str
    dice: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkScore:
    """Dice per patient, the mean with its 95 % interval over `patients` of `data`.

    Of several classes it is the mean over them too, and `classes` has each by itself.
    """

    dice: Interval
    patients: int
    data: str
    classes: tuple[NetworkClassScore, ...] = field(default=(), metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRecord:
    """What `models/<name>/network.json` holds: the name that people say, and which weights it belongs to.

    `slug` is the identity of the network's shape, which stands in files; several networks can share it. `held_out` are
    the scores that the weights shipped with, on patients that training did not see. `out_of_fold` is the Dice of
    networks trained in the same way, each patient scored by one that never saw them; None where nobody measured it.
    `for_comparison` says that it is there to be set beside the others, and lists have it last.
    `rests_on_phantoms` says that there was no real patient in its training or its scores. `failed` are the checks that
    the build failed that it was shipped with.
    """

    name: str
    slug: str
    purpose: str
    spec: VariantSpec
    image: ImageSpec
    parameters: int
    macs: int
    weights_sha256: str
    held_out: NetworkScore
    out_of_fold: NetworkScore | None = None
    rests_on_phantoms: bool = False
    failed: tuple[str, ...] = ()
    for_comparison: bool = field(default=False, metadata={LEFT_OUT: True})
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFile:
    """One converted file of a network."""

    target: str
    file: str
    size_bytes: int
    sha256: str

    def __post_init__(self) -> None:
        """Refuse a name that leads out of the network's folder, or that no file can have."""
        if not _FILE_NAME.fullmatch(self.file):
            raise OptionError(f"file is '{self.file[:70]}'; a name such as onnx-int8.onnx is needed")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFiles:
    """What `models/<name>/artifacts.json` holds: the converted files, and the digests of what they were made from.

    A digest is empty where there was no such file. `versions` are those of the tools that made them.
    """

    weights_sha256: str
    ranges_sha256: str
    choice_sha256: str
    files: tuple[NetworkFile, ...]
    versions: dict[str, str] = field(default_factory=dict)
    schema_version: int = RESULT_SCHEMA_VERSION
    trust_sha256: str = field(default="", metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedNetwork:
    """A network with its files and the folder that holds them; `own` where the user shipped it.

    `weights` says whether its float weights are there, which training, compressing and building start from.
    """

    network: NetworkRecord
    files: tuple[NetworkFile, ...]
    folder: str
    own: bool
    weights: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkList:
    """The networks that have a name, the largest first."""

    networks: tuple[ListedNetwork, ...]
    schema_version: int = RESULT_SCHEMA_VERSION
