"""A schema takes what the codec takes and refuses what it refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import jsonschema_rs
import pytest

from edgeseg.errors import UnknownNameError
from edgeseg.jsonio import LEFT_OUT, JsonFormatError, from_plain, to_plain
from edgeseg.reports.summary import summarise
from edgeseg.results import (
    ArtifactRow,
    BaselineResult,
    BuildResult,
    Environment,
    EvalResult,
    LatencyResult,
    PatientScore,
)
from edgeseg.results.schemas import KINDS, schema, schema_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inner:
    """Held by another."""

    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outer:
    name: str
    size: int
    good: bool
    pair: tuple[int, str]
    parts: tuple[_Inner, ...]
    table: dict[str, _Inner]
    one: _Inner | None
    tags: tuple[str, ...] = ()
    schema_version: int = 3


PARTS = (BuildResult, BaselineResult, Environment, ArtifactRow, EvalResult, PatientScore, LatencyResult)
INNER = {"ratio": 0.5}
OUTER: dict[str, Any] = {
    "name": "ü",
    "size": 2,
    "good": True,
    "pair": [1, "a"],
    "parts": [INNER, INNER],
    "table": {"any": INNER},
    "one": None,
}


@pytest.mark.parametrize("name", KINDS)
def test_every_schema_is_one(name: str) -> None:
    made = schema(name)
    jsonschema_rs.meta.validate(made)
    assert json.loads(json.dumps(made)) == made
    assert made["title"] == KINDS[name].__name__


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"one": INNER},
        {"parts": []},
        {"tags": ["a"], "schema_version": 3},
        {"name": None},
        {"name": 1},
        {"size": "2"},
        {"size": True},
        {"size": 1.5},
        {"good": 0},
        {"pair": [1]},
        {"pair": [1, "a", 2]},
        {"pair": ["a", 1]},
        {"parts": INNER},
        {"parts": [{}]},
        {"parts": [INNER | {"more": 1}]},
        {"table": [INNER]},
        {"table": {"any": 1}},
        {"one": {"ratio": "0.5"}},
        {"more": 1},
    ],
    ids=str,
)
def test_it_takes_what_the_codec_takes(change: dict[str, Any]) -> None:
    valid = jsonschema_rs.validator_for(schema_of(_Outer))
    plain = OUTER | change
    try:
        from_plain(_Outer, plain)
        taken = True
    except JsonFormatError:
        taken = False
    assert valid.is_valid(plain) == taken
    assert taken == (change in ({}, {"one": INNER}, {"parts": []}, {"tags": ["a"], "schema_version": 3}))


@pytest.mark.parametrize("key", OUTER)
def test_a_missing_key_is_refused(key: str) -> None:
    valid = jsonschema_rs.validator_for(schema_of(_Outer))
    assert not valid.is_valid({name: value for name, value in OUTER.items() if name != key})


def test_another_version_is_refused() -> None:
    assert not jsonschema_rs.validator_for(schema_of(_Outer)).is_valid(OUTER | {"schema_version": 4})


def objects(plain: Any) -> Iterator[dict[str, Any]]:
    """Give every object inside, the outermost first."""
    if isinstance(plain, dict):
        yield plain
    for item in plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ():
        yield from objects(item)


def test_a_build_and_its_report_are_valid_and_no_damage_to_them_is(make_build: Callable[..., BuildResult]) -> None:
    build = make_build()
    jsonschema_rs.validator_for(schema("report")).validate(to_plain(summarise(build)))
    valid = jsonschema_rs.validator_for(schema("build"))
    plain = to_plain(build)
    valid.validate(plain)
    for kind in PARTS:
        keys = {field.name for field in fields(kind)}
        always = {field.name for field in fields(kind) if LEFT_OUT not in field.metadata}
        places = [place for place, item in enumerate(objects(plain)) if always <= set(item) <= keys]
        broken = copy.deepcopy(plain)
        list(objects(broken))[places[0]]["more"] = 1
        assert not valid.is_valid(broken), kind


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'check'"):
        schema("chekc")
