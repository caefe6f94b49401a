"""JSON Schema (draft 2020-12) of what commands print with --json and what builds leave, made from the results.

A schema takes what `edgeseg.jsonio.from_json` takes: no key is unknown, and only what has a default may be left out.
(It also takes 1.0 for an integer, which JSON does not tell apart.)
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

from edgeseg import results
from edgeseg.errors import UnknownNameError
from edgeseg.results.choice import Choice
from edgeseg.results.folds import OutOfFoldResult
from edgeseg.results.imported import ImportResult
from edgeseg.results.listings import CacheList, KeyList, TargetList, VariantList
from edgeseg.results.report import Report

DRAFT = "https://json-schema.org/draft/2020-12/schema"
KINDS: Mapping[str, type] = {
    "build": results.BuildResult,
    "report": Report,
    "compare": results.ComparisonResult,
    "bench": results.BenchResult,
    "bench-layers": results.LayersResult,
    "check": results.CheckResult,
    "baseline": results.CheckBaseline,
    "inspect": results.Inspection,
    "doctor": results.SelfTest,
    "verify": results.ParityResult,
    "evaluate": results.EvalResult,
    "sensitivity": results.SensitivityResult,
    "run": results.RunResult,
    "node-status": results.NodeStatus,
    "run-list": results.SeriesList,
    "import": ImportResult,
    "train": results.TrainResult,
    "out-of-fold": OutOfFoldResult,
    "compress": results.CompressResult,
    "compress-folds": results.FoldsCompressResult,
    "choose": Choice,
    "trust": results.TrustResult,
    "cache": CacheList,
    "key": KeyList,
    "targets": TargetList,
    "variants": VariantList,
    "networks": results.NetworkList,
    "network": results.NetworkCard,
    "claims": results.ClaimsResult,
}
"""What has a schema: the command that prints it with --json, or the file of `check --update` or `train --folds`."""
_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}
_VERSION = "schema_version"


def schema(name: str) -> dict[str, Any]:
    """Return the schema of a key of `KINDS`.

    Raises:
        UnknownNameError: with the names there are.
    """
    if name not in KINDS:
        raise UnknownNameError("schema", name, tuple(KINDS))
    return schema_of(KINDS[name])


def schema_of(kind: type) -> dict[str, Any]:
    """Return the schema of a dataclass; those inside it stand once each under `$defs`."""
    found: dict[str, dict[str, Any]] = {}
    whole = _object(kind, found)
    version = whole["properties"].get(_VERSION)
    if version is not None:
        version["const"] = version.pop("default")
    return {"$schema": DRAFT, "title": kind.__name__, **whole, "$defs": {name: found[name] for name in sorted(found)}}


def _object(kind: type, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)
    needed = [f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]
    properties = {f.name: _value(hints[f.name], found) for f in fields}
    for f in fields:
        if isinstance(f.default, (str, bool, int, float)):
            properties[f.name] |= {"default": f.default}
    told = {"description": inspect.cleandoc(kind.__doc__)} if kind.__doc__ else {}
    return {**told, "type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def _value(hint: Any, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (other,) = [a for a in args if a is not type(None)]
        return {"anyOf": [_value(other, found), {"type": "null"}]}
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return {"type": "array", "items": _value(args[0], found)}
    if origin is tuple:
        each = [_value(a, found) for a in args]
        return {"type": "array", "prefixItems": each, "minItems": len(each), "items": False}
    if origin is dict:
        return {"type": "object", "additionalProperties": _value(args[1], found)}
    if dataclasses.is_dataclass(hint):
        name = hint.__name__  # type: ignore[union-attr]
        if name not in found:
            found[name] = {}  # holds the place while the class itself is read
            found[name] = _object(hint, found)  # type: ignore[arg-type]
        return {"$ref": f"#/$defs/{name}"}
    return {"type": _SCALARS[hint]}
