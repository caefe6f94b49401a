"""A contract in a file of its own, JSON or TOML, for a model that carries none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeseg.errors import ContractError, OptionError
from edgeseg.jsonio import JsonFormatError, from_plain, parse_json, parse_toml, read_document
from edgeseg.specs import NEWEST_CONTRACT_SCHEMA_VERSION, OTHERS_CONTRACT_SCHEMA_VERSION, OUTPUTS, Contract

TOML = ".toml"
_SIGMOID = "sigmoid"
"""What `edgeseg import` calls probabilities of channels that share nothing."""
UNKNOWN: dict[str, Any] = {
    "schema_version": OTHERS_CONTRACT_SCHEMA_VERSION,
    "variant": {"name": "unknown", "alpha": 1.0, "stem": "full"},
    "tier": "custom",
    "target": "custom-fp32",
    "trained_on": "unknown",
}
"""What a document may leave out though a contract has it: none of it changes a mask."""


def read_contract_document(path: Path, *, told: Mapping[str, str] | None = None) -> Contract:
    """Read a contract from `.toml`, or else from JSON.

    Beside the contract's own fields it may hold `size` (a number, or height and width) in place of those two,
    the classes of the foreground and of regions by name, and what `edgeseg import` alone asks for: the name of an
    output, and `sigmoid` for probabilities. What is in `UNKNOWN` may be missing.

    Args:
        path: the document.
        told: what the model itself tells, for what the document leaves out.

    Raises:
        ContractError: when the file is missing, or holds no contract that can be honoured.
    """
    plain = read_contract_plain(path)
    try:
        return _contract(plain, told or {})
    except (JsonFormatError, OptionError) as error:
        raise refused(path, error) from error


def read_contract_plain(path: Path) -> dict[str, Any]:
    """Read the fields that a contract document gives, `size` as height and width, classes as their numbers.

    Raises:
        ContractError: when the file is missing, is neither JSON nor TOML, or of a newer schema.
    """
    try:
        text = read_document(path)
    except OSError as error:
        raise ContractError(
            f"{path}: cannot read the contract ({error.strerror or error}); give a JSON or TOML file"
        ) from error
    try:
        plain = parse_toml(text) if path.suffix.lower() == TOML else parse_json(text)
        return _spelled_out(plain)
    except (JsonFormatError, OptionError) as error:
        raise refused(path, error) from error


def refused(path: Path, error: Exception) -> ContractError:
    """Return the error for a document that is no contract."""
    return ContractError(
        f"{path}: the contract cannot be honoured ({error}); docs/reference/contract.md has every field, and "
        "edgeseg contract show MODEL writes a template"
    )


def _spelled_out(plain: Any) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise JsonFormatError(f"$: expected an object for Contract, found {type(plain).__name__}")
    version = plain.get("schema_version")
    if isinstance(version, int) and version > NEWEST_CONTRACT_SCHEMA_VERSION:
        raise OptionError(
            f"it has schema version {version} and this edgeseg reads up to {NEWEST_CONTRACT_SCHEMA_VERSION}; update it"
        )
    given = dict(plain)
    if "size" in given:
        given |= _sides(given.pop("size"), plain)
    foreground = given.get("foreground")
    if isinstance(foreground, int | str | list):
        given["foreground"] = _numbers("foreground", foreground, given.get("classes"))
    if isinstance(given.get("regions"), list):
        given["regions"] = [_region(one, given.get("classes")) for one in given["regions"]]
    return given


def _region(given: Any, classes: Any) -> Any:
    if not isinstance(given, dict) or not isinstance(given.get("channels"), int | str | list):
        return given
    return given | {"channels": _numbers(f"region '{given.get('name', '')}'", given["channels"], classes)}


def _numbers(what: str, given: int | str | list[Any], classes: Any) -> list[Any]:
    """Classes by their numbers, where one or several are given by number or by name."""
    return [_number(what, entry, classes) for entry in (given if isinstance(given, list) else [given])]


def _contract(plain: dict[str, Any], told: Mapping[str, str]) -> Contract:
    given = {**UNKNOWN, **told, **plain}
    given.pop("output_name", None)
    if given.get("output") == _SIGMOID:
        given["output"] = OUTPUTS[1]
    if "layout" not in given:
        told_by = (
            "either axis of the model could be that of the channels"
            if told
            else "the model alone tells it, as with edgeseg contract check MODEL --contract"
        )
        raise OptionError(f"layout is missing, and {told_by}; write NCHW (as PyTorch has it) or NHWC (as Keras has it)")
    return from_plain(Contract, given)


def _sides(size: Any, plain: dict[str, Any]) -> dict[str, Any]:
    sides = size if isinstance(size, list) else [size, size]
    if len(sides) != 2 or {"height", "width"} & set(plain):
        raise OptionError("size is one number, or a list of height and width, and stands in place of height and width")
    return {"height": sides[0], "width": sides[1]}


def _number(what: str, entry: Any, classes: Any) -> Any:
    """The number of a class that is given by its name."""
    if not isinstance(entry, str):
        return entry
    if not isinstance(classes, list) or entry not in classes:
        raise OptionError(f"{what} names '{entry}', which is not among classes; name it there, or give its number")
    return classes.index(entry)
