"""Frozen dataclasses to JSON and back, strictly: unknown or missing keys and wrong types are errors.

The base install holds no schema library on purpose, so this is the one codec that specs, results and contracts share,
and the one reader of documents: JSON and TOML, UTF-8 with or without a byte order mark, or UTF-16 with one.
"""

from __future__ import annotations

import codecs
import dataclasses
import difflib
import functools
import json
import math
import re
import tomllib
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from edgeseg.regular import open_regular

T = TypeVar("T")
LEFT_OUT = "left out where it has its default"
"""Key in a field's metadata; see `to_plain`."""
RECORD_WIDTH = 400
"""The most characters of a line of `to_record` that holds lists or objects: a patient with all figures fits."""
MAX_DOCUMENT_BYTES = 256 << 20
MAX_VALUES, MAX_TOML_BYTES, MAX_KEY_PARTS = 2_000_000, 4 << 20, 32
"""Each value of a document becomes an object of some 100 bytes; TOML is read by Python, part by part of each key."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, None),
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""UTF-32 begins as UTF-16 does, so it stands before it."""
_VERSION = "schema_version"
_LARGEST = 1 << 128
"""Above every count and every seed; figures are far below."""
_QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'')
_LONE = re.compile("[\ud800-\udfff]")


class JsonFormatError(ValueError):
    """The JSON does not have the shape of the dataclass; the message holds the path of the field."""


def to_plain(value: Any) -> Any:
    """Turn dataclasses, tuples and mappings into dict, list and scalars that `json` writes without loss.

    A field whose metadata hold `LEFT_OUT` is not written where it has its default: text of before it was there, which
    digests are of, stays as it is.

    Raises:
        TypeError: for anything else, arrays included.
        ValueError: for a float that JSON cannot hold (NaN, infinity).
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value) if _written(f, value)}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be written as JSON; use None for 'not defined'")
        return float(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise TypeError(f"{type(value).__name__} does not belong in a spec or a result")


def _written(field: dataclasses.Field[Any], value: Any) -> bool:
    return LEFT_OUT not in field.metadata or getattr(value, field.name) != field.default


def to_json(value: Any, *, indent: int | None = 2) -> str:
    """Write a dataclass as JSON text, keys in field order, non-ASCII kept; compact with `indent=None`.

    What stands for bytes of a file's name that are not UTF-8 is escaped, so that the text can be written as UTF-8.
    """
    separators = (",", ":") if indent is None else None
    text = json.dumps(to_plain(value), indent=indent, separators=separators, ensure_ascii=False)
    return _LONE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def to_record(value: Any) -> str:
    """Write a dataclass as the text of a file that people read and compare: what fits into one line stands in one line.

    So does a list or an object of plain values, however long: a patient's figures, the names of a group. Everything
    else has a line per item. It takes two thirds of what `to_json` takes, and reads back as the same values.
    """
    return _laid_out(to_plain(value), "") + "\n"


def _laid_out(value: Any, indent: str) -> str:
    line = to_json(value, indent=None)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if len(indent) + len(line) <= RECORD_WIDTH or not any(isinstance(item, (dict, list)) for item in inner):
        return line
    deeper = f"{indent} "
    keys = [f"{to_json(key)}:" for key in value] if isinstance(value, dict) else [""] * len(value)
    items = [f"{deeper}{key}{_laid_out(item, deeper)}" for key, item in zip(keys, inner, strict=True)]
    start, end = "{}" if isinstance(value, dict) else "[]"
    return "\n".join((start, ",\n".join(items), f"{indent}{end}"))


def spelled_out(document: str | bytes) -> str:
    """Write a JSON document with a line per value: what digests of documents are of, however their files are laid out.

    Raises:
        JsonFormatError: when it is not JSON.
    """
    return to_json(parse_json(document)) + "\n"


def read_document(path: Path) -> bytes:
    """Read a file that is to be decoded and parsed, or one byte more than a document may have.

    Raises:
        OSError: when it cannot be read.
    """
    with open_regular(path) as stream:
        return stream.read(MAX_DOCUMENT_BYTES + 1)


def decode(data: bytes) -> str:
    """Decode a document: UTF-8 with or without a byte order mark, or UTF-16 with one; the mark is dropped.

    Raises:
        JsonFormatError: for another encoding, which is named where it can be told, and for a document that is too long.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise JsonFormatError(f"longer than {MAX_DOCUMENT_BYTES >> 20} MB, which no document of edgeseg is")
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    if encoding is None:
        raise JsonFormatError("in UTF-32; save it as UTF-8")
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        if not mark and data[:64].count(0) > len(data[:64]) // 4:
            raise JsonFormatError("in UTF-16 or UTF-32 without a byte order mark; save it as UTF-8") from error
        named = encoding.upper() if mark else "UTF-8"
        raise JsonFormatError(
            f"not {named} text (byte {error.start} is 0x{data[len(mark) + error.start]:02X}; perhaps Latin-1 or "
            "Windows-1252); save it as UTF-8"
        ) from error


def parse_json(document: str | bytes) -> Any:
    """Parse JSON; what is not JSON, too deep, or has a number of thousands of digits is refused.

    Raises:
        JsonFormatError: with the reason.
    """
    return _parsed(document, "JSON", _loads_json)


def parse_toml(document: str | bytes) -> dict[str, Any]:
    """Parse TOML; likewise.

    Raises:
        JsonFormatError: with the reason.
    """
    plain: dict[str, Any] = _parsed(document, "TOML", _loads_toml)
    return plain


def _loads_json(text: str) -> Any:
    if len(text) > MAX_VALUES and sum(map(text.count, ",[{:")) > MAX_VALUES:
        raise JsonFormatError(f"more than {MAX_VALUES} values, which no document of edgeseg has")
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice, of which Python would take the last without a word; so does TOML."""
    plain = dict(pairs)
    if len(plain) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise JsonFormatError(f"the key '{twice[:99]}' stands twice in one object; leave one of them out")
    return plain


def _loads_toml(text: str) -> Any:
    if len(text) > MAX_TOML_BYTES:
        raise JsonFormatError(f"longer than {MAX_TOML_BYTES >> 20} MB, which no TOML of edgeseg is")
    for line in text.splitlines():
        key = _QUOTED.sub("", line).partition("=")[0]
        if key.count(".") > MAX_KEY_PARTS and "," not in key:
            raise JsonFormatError(f"a key of more than {MAX_KEY_PARTS} parts")
    return tomllib.loads(text)


def _parsed(document: str | bytes, kind: str, parse: Callable[[str], Any]) -> Any:
    text = (decode(document) if isinstance(document, bytes) else document).removeprefix("\ufeff")
    try:
        return parse(text)
    except JsonFormatError:
        raise
    except RecursionError as error:
        raise JsonFormatError(f"not {kind} that can be read: it is nested too deeply") from error
    except ValueError as error:
        told = " ".join(str(error).split())
        hint = (
            "; it looks like UTF-16 or UTF-32 without a byte order mark, save it as UTF-8" if "\0" in text[:64] else ""
        )
        raise JsonFormatError(f"not {kind}: {told[:300]}{hint}") from error


def from_json(kind: type[T], text: str | bytes) -> T:
    """Read a dataclass of type `kind` from JSON text.

    Raises:
        JsonFormatError: when the text is not JSON, or not of that shape.
    """
    return from_plain(kind, parse_json(text))


def of_this_version(found: T) -> T:
    """Return a record whose schema version is the one that its kind has by default.

    Raises:
        JsonFormatError: for another one, whose keys may mean something else.
    """
    theirs, ours = getattr(found, _VERSION), type(found).__dataclass_fields__[_VERSION].default  # type: ignore[attr-defined]
    if theirs != ours:
        raise JsonFormatError(f"it has schema version {theirs} and this edgeseg reads {ours}")
    return found


_hints = functools.cache(get_type_hints)


def from_plain(kind: type[T], plain: Any, path: str = "$") -> T:
    """Read a dataclass of type `kind` from what `json.loads` gives.

    Raises:
        JsonFormatError: for unknown or missing keys and for values of another type, with the path of the field.
    """
    if not isinstance(plain, dict):
        raise JsonFormatError(f"{path}: expected an object for {kind.__name__}, found {type(plain).__name__}")
    hints = _hints(kind)  # type: ignore[arg-type]
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(plain) - set(fields)):
        near = difflib.get_close_matches(unknown[0][:99], fields, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else f" for {kind.__name__}"
        raise JsonFormatError(f"{path}: unknown key '{unknown[0]}'{hint}")
    values = {}
    for name, field in fields.items():
        if name in plain:
            values[name] = _value(hints[name], plain[name], f"{path}.{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise JsonFormatError(f"{path}: missing key '{name}' for {kind.__name__}")
    try:
        return kind(**values)
    except ValueError as error:
        raise JsonFormatError(f"{path}: {error}") from error


def _value(hint: Any, plain: Any, path: str) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if plain is None and type(None) in args:
            return None
        (hint,) = [a for a in args if a is not type(None)]
        return _value(hint, plain, path)
    if origin is tuple:
        return _tuple(args, plain, path)
    if origin is dict:
        if not isinstance(plain, dict):
            raise JsonFormatError(f"{path}: expected an object, found {type(plain).__name__}")
        return {key: _value(args[1], item, f"{path}.{key}") for key, item in plain.items()}
    if dataclasses.is_dataclass(hint):
        return from_plain(hint, plain, path)  # type: ignore[arg-type]
    if hint in (int, float) and isinstance(plain, int | hint) and not isinstance(plain, bool):
        return hint(_finite(plain, path))
    if isinstance(plain, hint) and hint is not int:
        return plain
    raise JsonFormatError(f"{path}: expected {hint.__name__}, found {type(plain).__name__}")


def _finite(plain: float, path: str) -> float:
    """Refuse what `json` and `tomllib` read and no figure of edgeseg is, or could be written again."""
    if not -_LARGEST < plain < _LARGEST:
        raise JsonFormatError(f"{path}: the number is not finite, or larger than any that edgeseg writes")
    return plain


def _tuple(args: tuple[Any, ...], plain: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise JsonFormatError(f"{path}: expected a list, found {type(plain).__name__}")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_value(args[0], item, f"{path}[{i}]") for i, item in enumerate(plain))
    if len(args) != len(plain):
        raise JsonFormatError(f"{path}: expected {len(args)} items, found {len(plain)}")
    return tuple(_value(a, item, f"{path}[{i}]") for i, (a, item) in enumerate(zip(args, plain, strict=True)))
