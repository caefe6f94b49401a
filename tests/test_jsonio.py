"""The codec that specs, results and contracts share."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from edgeseg.jsonio import RECORD_WIDTH, JsonFormatError, from_json, spelled_out, to_json, to_record
from edgeseg.specs import Contract, TrainSpec, VariantSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    name: str
    size: int
    ratio: float | None
    tags: tuple[str, ...] = ()
    pair: tuple[int, float] = (1, 2.0)
    table: dict[str, int] | None = None


SAMPLE = _Sample(name="ü", size=3, ratio=0.1, tags=("a", "b"), pair=(4, 5.5), table={"x": 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    floats: float = 0.0
    counts: int = 0


@pytest.mark.parametrize(
    "value",
    [
        SAMPLE,
        _Sample(name="", size=0, ratio=None),
        TrainSpec(variant=VariantSpec(name="unet", alpha=1.0, stem="full")),
        Contract(
            variant=VariantSpec(),
            tier="int8",
            target="onnx-int8",
            layout="NCHW",
            trained_on="phantom",
            seen_patients=("0a", "ff"),
        ),
    ],
    ids=lambda v: type(v).__name__,
)
@pytest.mark.parametrize("indent", [None, 2])
def test_what_is_written_reads_back_equal(value: Any, indent: int | None) -> None:
    assert from_json(type(value), to_json(value, indent=indent)) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ('{"name": 1, "list": [{"a": 1, "b": 2, "a": 3}]}', "the key 'a' stands twice in one object"),
        (b"\xff\xfe", "not JSON"),
        ("[]", "expected an object for _Sample, found list"),
        ('{"name": "a", "size": 1}', "missing key 'ratio'"),
        ('{"name": "a", "size": 1, "ratio": 1, "more": 2}', "unknown key 'more' for _Sample"),
        ('{"name": "a", "sise": 1, "ratio": 1}', r"unknown key 'sise'; did you mean 'size'\?"),
        ('{"name": 1, "size": 1, "ratio": 1}', r"\$\.name: expected str, found int"),
        ('{"name": "a", "size": true, "ratio": 1}', r"\$\.size: expected int, found bool"),
        ('{"name": "a", "size": 1, "ratio": "1"}', r"\$\.ratio: expected float, found str"),
        ('{"name": "a", "size": 1, "ratio": 1, "tags": [1]}', r"\$\.tags\[0\]: expected str"),
        ('{"name": "a", "size": 1, "ratio": 1, "pair": [1]}', r"\$\.pair: expected 2 items, found 1"),
    ],
)
def test_another_shape_is_refused_with_the_path_of_the_field(text: str | bytes, message: str) -> None:
    with pytest.raises(JsonFormatError, match=message):
        from_json(_Sample, text)


def test_a_whole_number_stands_for_a_float() -> None:
    assert from_json(_Sample, '{"name": "a", "size": 1, "ratio": 1}').ratio == 1.0


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999", "1" + "0" * 400], ids=["nan", "inf", "float", "int"])
@pytest.mark.parametrize("field", ["floats", "counts"])
def test_a_number_that_could_not_be_written_again_is_not_read(field: str, text: str) -> None:
    with pytest.raises(JsonFormatError, match=r"\$\.\w+: (the number is not finite|expected int)"):
        from_json(_Figures, f'{{"{field}": {text}}}')


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_hold_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="None for 'not defined'"):
        to_json(_Sample(name="a", size=1, ratio=value))


def test_arrays_do_not_belong_in_a_result() -> None:
    with pytest.raises(TypeError, match="does not belong"):
        to_json([b"bytes"])


def test_bytes_of_a_name_that_is_not_utf8_survive_the_round_trip() -> None:
    text = to_json(replace(SAMPLE, name="M\udcf6ller 山"))
    assert "\\udcf6" in text
    assert "山" in text
    assert from_json(_Sample, text.encode()).name == "M\udcf6ller 山"


def test_a_record_has_a_line_for_each_patient_and_reads_back_equal() -> None:
    patients = [{"patient": f"P{index}", "dice": index / 7, "found": [index, {"ü": None}]} for index in range(20)]
    told = {"name": "a", "patients": patients, "numbers": [index / 3 for index in range(200)], "none": []}
    text = to_record(told)
    lines = text.splitlines()
    assert json.loads(text) == told
    assert text.endswith("}\n")
    assert lines[:4] == ["{", ' "name":"a",', ' "patients":[', '  {"patient":"P0","dice":0.0,"found":[0,{"ü":null}]},']
    assert lines[-3].startswith(' "numbers":[0.0,0.3333333333333333,')
    assert lines[-2:] == [' "none":[]', "}"]
    assert len(lines) == len(patients) + 7


def test_a_record_that_is_wide_is_broken_where_it_holds_others() -> None:
    name = "x" * RECORD_WIDTH
    assert to_record([{"a": name, "b": {}}]).splitlines() == ["[", " {", f'  "a":"{name}",', '  "b":{}', " }", "]"]
    assert to_record(SAMPLE).splitlines() == [to_json(SAMPLE, indent=None)]
    assert from_json(_Sample, to_record(SAMPLE)) == SAMPLE


def test_what_is_spelled_out_does_not_change_with_the_layout() -> None:
    plain = to_json(SAMPLE) + "\n"
    assert spelled_out(plain) == spelled_out(to_record(SAMPLE)) == spelled_out(json.dumps(json.loads(plain))) == plain
    assert spelled_out(to_record(replace(SAMPLE, ratio=0.2))) != plain
    with pytest.raises(JsonFormatError, match="not JSON"):
        spelled_out("{")
