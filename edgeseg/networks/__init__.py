"""The networks that have a name: where they are, and their converted files, held to the digests they were made with.

A network is a folder `models/<name>/` with `network.json` (`edgeseg.results.networks.NetworkRecord`), its weights, and
where they were converted `artifacts.json` (`NetworkFiles`) with the files beside it. One that is only there to be
compared may leave the weights out. Such folders ship with edgeseg, and a user's own lie in
`edgeseg.artifacts.own_home`; of one name the user's own is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from edgeseg import artifacts
from edgeseg.errors import ArtifactError, OptionError, UnknownNameError
from edgeseg.networks.network import (
    CARD_FILE,
    FILES_FILE,
    RECORD_FILE,
    USUAL_TARGET,
    WEIGHTS_FILE,
    Network,
    opened,
)
from edgeseg.regular import stands
from edgeseg.specs import VariantSpec

__all__ = [
    "AUTHOR",
    "CARD_FILE",
    "FILES_FILE",
    "MODELS",
    "RECORD_FILE",
    "USUAL_TARGET",
    "WEIGHTS_FILE",
    "Network",
    "artifact",
    "author_of",
    "check_name",
    "damaged",
    "every",
    "exists",
    "get",
    "label",
    "name_of_file",
    "named",
    "names",
    "network_of",
    "of_variant",
    "of_weights",
]

MODELS, AUTHOR = "models", "edgeseg"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MOST_LETTERS = 40


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
    """Return the networks that have a name, the user's own too: those to use, the largest first, then the others.

    A folder of the user's own that is damaged is passed over (`damaged` has it), so that the others can be used.

    Raises:
        ArtifactError: when what says which of those that ship it is, is damaged.
    """
    found: dict[str, Network] = {}
    for path, own in _records():
        try:
            network = opened(path, own=own)
        except ArtifactError:
            if own:
                continue
            raise
        found.setdefault(network.name, network)
    return tuple(sorted(found.values(), key=_rank))


def _rank(network: Network) -> tuple[bool, int, str]:
    record = network.record
    return record.for_comparison, -record.parameters, network.name


def damaged() -> dict[str, ArtifactError]:
    """Return what is wrong with folders of the user's own that hold no network that can be read, by their name."""
    found: dict[str, ArtifactError] = {}
    for path, own in _records():
        try:
            opened(path, own=own)
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
    """Return the network of a shape that is meant where no weights are given: first one that has some, and ships."""
    found = [one for one in every() if one.record.spec == variant]
    return min(found, key=lambda one: (not one.has_weights, one.own), default=None)


def of_weights(sha256: str) -> Network | None:
    """Return the network of these very weights."""
    return next((one for one in every() if one.record.weights_sha256 == sha256), None)


def author_of(weights_sha256: str) -> str:
    """Return who made these weights: edgeseg, where they ship with it; empty where that is not known."""
    shipped = any(not one.own and one.record.weights_sha256 == weights_sha256 for one in every())
    return AUTHOR if shipped else ""


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
    if (exists(model) and model.is_file()) or model.is_absolute() or len(model.parts) > 2 or not model.parts:
        return None
    name, target = model.parts[0], "" if len(model.parts) == 1 else model.parts[1]
    if (network := named(name)) is not None and not (target and "." in target):
        return network, target
    if len(model.parts) == 1 and "." not in name and not model.exists():
        raise UnknownNameError("network", name, names())
    return None


def exists(path: Path) -> bool:
    """Whether there is a file or folder.

    Raises:
        ArtifactError: for a path that no file can have.
    """
    try:
        return path.exists()
    except OSError as error:
        raise ArtifactError(f"{str(path)[:100]}: there can be no file ({error.strerror}); check the path") from error


def _records() -> Iterator[tuple[Path, bool]]:
    """What says which network it is, in every folder that is looked in, and whether the folder is the user's own."""
    for home in artifacts.homes():
        for folder in sorted((home / MODELS).glob("*/")):
            if stands(path := folder / RECORD_FILE):
                yield path, home != artifacts.shipped()
