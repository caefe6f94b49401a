"""The codec that specs, results and contracts share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from edgeseg.jsonio import JsonFormatError, from_json, to_json
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
