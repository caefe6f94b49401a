"""Frozen dataclasses to JSON and back, strictly: unknown or missing keys and wrong types are errors.

The base install holds no schema library on purpose, so this is the one codec that specs, results and contracts share.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
LEFT_OUT = "left out where it has its default"
"""Key in a field's metadata; see `to_plain`."""


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
    """Write a dataclass as JSON text, keys in field order, non-ASCII kept; compact with `indent=None`."""
    separators = (",", ":") if indent is None else None
    return json.dumps(to_plain(value), indent=indent, separators=separators, ensure_ascii=False)


def from_json(kind: type[T], text: str | bytes) -> T:
    """Read a dataclass of type `kind` from JSON text.

    Raises:
        JsonFormatError: when the text is not JSON, or not of that shape.
    """
    try:
        plain = json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise JsonFormatError(f"not JSON: {error}") from error
    return from_plain(kind, plain)


def from_plain(kind: type[T], plain: Any, path: str = "$") -> T:
    """Read a dataclass of type `kind` from what `json.loads` gives.

    Raises:
        JsonFormatError: for unknown or missing keys and for values of another type, with the path of the field.
    """
    if not isinstance(plain, dict):
        raise JsonFormatError(f"{path}: expected an object for {kind.__name__}, found {type(plain).__name__}")
    hints = get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(plain) - set(fields)):
        raise JsonFormatError(f"{path}: unknown key '{unknown[0]}' for {kind.__name__}")
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
    if hint is float and isinstance(plain, int) and not isinstance(plain, bool):
        return float(plain)
    if isinstance(plain, hint) and not (hint is int and isinstance(plain, bool)):
        return plain
    raise JsonFormatError(f"{path}: expected {hint.__name__}, found {type(plain).__name__}")


def _tuple(args: tuple[Any, ...], plain: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise JsonFormatError(f"{path}: expected a list, found {type(plain).__name__}")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_value(args[0], item, f"{path}[{i}]") for i, item in enumerate(plain))
    if len(args) != len(plain):
        raise JsonFormatError(f"{path}: expected {len(args)} items, found {len(plain)}")
    return tuple(_value(a, item, f"{path}[{i}]") for i, (a, item) in enumerate(zip(args, plain, strict=True)))
