from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from edgeseg.data.belong import Heads, compare_origins, head_box
from edgeseg.data.origin import Origin, label_of
from edgeseg.errors import DatasetError

SOURCES = {"flair": "a", "pre": "b"}
WHOLE = Origin(patient="1", person="x", study="s", frame="f", day=date(2020, 1, 1), label="p1")


def compared(**changes: object) -> tuple[str, ...]:
    from dataclasses import replace

    return compare_origins({"flair": WHOLE, "pre": replace(WHOLE, **changes)}, SOURCES)  # type: ignore[arg-type]


def test_what_agrees_or_is_unknown_is_not_odd() -> None:
    assert compared() == ()
    assert compare_origins({"flair": Origin(), "pre": Origin()}, SOURCES) == ()
    assert compare_origins({"flair": WHOLE}, SOURCES) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"person": "y"}, "name, date of birth or sex differ"),
        ({"patient": None}, "only one says whose it is"),
        ({"study": "t", "day": date(2020, 1, 31)}, "different studies, 30 days apart"),
        ({"day": date(2020, 1, 2)}, "different days, 1 apart"),
        ({"frame": "g"}, "different frames of reference"),
        ({"label": "p2"}, "'p2' and 'p1'"),
    ],
)
def test_what_differs_is_one_sentence(changes: dict[str, object], said: str) -> None:
    (warning,) = compared(**changes)
    assert said in warning
    assert "'pre' and 'flair'" in warning


def test_other_patients_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"b \('pre'\) and a \('flair'\) are of different patients"):
        compared(patient="2")
    nameless = Origin(person="x"), Origin(person="y")
    with pytest.raises(DatasetError, match="name and date of birth"):
        compare_origins(dict(zip(SOURCES, nameless, strict=True)), SOURCES)


def test_heads() -> None:
    plane = np.zeros((100, 80), np.uint8)
    plane[20:80, 10:70] = 100
    box = head_box(plane)
    assert box is not None
    assert np.abs(box - [20, 80, 10, 70]).max() <= 2
    assert head_box(np.zeros((100, 80), np.uint8)) is None
    heads = Heads(("pre", "flair", "post"), "flair")
    small, moved = np.zeros_like(plane), np.roll(plane, 15, axis=0)
    small[30:70, 20:60] = 100
    for _ in range(5):
        assert heads.warnings(None) == ()
        heads.add({"flair": plane, "pre": small, "post": moved})
    first, second = heads.warnings((1.0, 2.0))
    assert "'pre' is 40 x 80 mm and in 'flair'" in first
    assert "'post' lies 15 mm from that in 'flair'" in second
    assert "15 pixels" in heads.warnings(None)[1]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("P1_ax_flair_3", "p1"),
        ("flair_P1", "p1"),
        ("flair", None),
        ("flair_3", None),
        ("BraTS20_001_t1ce", "brats20_001"),
        ("sub-01_ce-gd_T1w", "sub-01"),
        ("001_flair", "001"),
        ("T1post", None),
    ],
)
def test_the_part_of_a_name_that_names_somebody(name: str, label: str | None) -> None:
    assert label_of(name) == label
