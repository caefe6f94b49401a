"""Reads `node.toml`: unknown keys are refused, and files are relative to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgeseg.errors import OptionError
from edgeseg.jsonio import JsonFormatError, from_plain, parse_toml, read_document
from edgeseg.specs import Destination, NodeOptions
from edgeseg.specs.node import FOLDER

_ADVICE = "see docs/how-to/pacs.md"
_STATE = ".edgeseg-node"


def read_config(path: Path) -> NodeOptions:
    """Read a configuration.

    Raises:
        OptionError: when the file is missing, no TOML, has an unknown key, or a value out of its range.
    """
    try:
        options = from_plain(NodeOptions, parse_toml(read_document(path)), "node.toml")
    except OSError as error:
        raise OptionError(f"{path}: the configuration cannot be read ({error.strerror}); {_ADVICE}") from error
    except JsonFormatError as error:
        raise OptionError(f"{path}: {error}; {_ADVICE}") from error
    except OptionError as error:
        raise OptionError(f"{path}: {error}") from error
    here = path.resolve().parent
    sent = tuple(
        replace(
            one,
            folder=_at(here, one.folder),
            token_file=_at(here, one.token_file),
            ca_file=_at(here, one.ca_file),
        )
        for one in options.destinations
    )
    tls = options.tls and replace(
        options.tls,
        certificate=str(_at(here, options.tls.certificate)),
        key=str(_at(here, options.tls.key)),
        ca_file=_at(here, options.tls.ca_file),
    )
    salt = _at(here, options.de_identify_salt)
    return replace(options, state=str(_at(here, options.state)), destinations=sent, tls=tls, de_identify_salt=salt)


def folder_options(out: Path) -> NodeOptions:
    """Give the options of a node that watches a folder and writes into another one, and does not listen."""
    to = Destination(name="folder", kind=FOLDER, folder=str(out.resolve()))
    return NodeOptions(state=str(out.resolve() / _STATE), destinations=(to,), silence_s=2.0, port=0)


def check_places(options: NodeOptions, watch: Path | None) -> None:
    """Refuse a watched folder in which the node itself writes, and results among the files that it tidies.

    Raises:
        OptionError: with the place.
    """
    state = Path(options.state).resolve()
    folders = {one.name: Path(one.folder).resolve() for one in options.destinations if one.folder is not None}
    for name, folder in folders.items():
        if folder.is_relative_to(state):
            raise OptionError(
                f"the destination {name} is {folder}, in the folder of 'state', which the node tidies; choose another "
                "place for results"
            )
    for place in () if watch is None else (*folders.values(), state):
        if watch is not None and place.is_relative_to(watch.resolve()):
            raise OptionError(
                f"--watch {watch}: the node writes to {place}, and would take its own files for new ones; choose a "
                "place outside the watched folder"
            )


def _at(here: Path, name: str | None) -> str | None:
    if name is not None and "\0" in name:
        raise OptionError(f"node.toml names the file {name[:70]!a}; no file can be called so")
    return None if name is None else str(here / name)
