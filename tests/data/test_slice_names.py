"""What the names of slices tell."""

from __future__ import annotations

import pytest

from edgeseg.data.slice_names import doubts_of

ODD: dict[tuple[str, ...], str] = {
    ("s_1", "s_2", "s_4"): "none with the number 3",
    ("slice_1_of_4", "slice_2_of_4", "slice_4_of_4"): "none with the number 3",
    ("a_1", "a_2", "b_1"): "speak of 2 patients: a, b",
    ("a_1", "a_1_copy", "a_2"): "1 numbers stand in the names of several slices (1)",
    ("s1e1", "s2e1", "s4e1"): "none with the number 3",
}
PLAIN: list[tuple[str, ...]] = [
    ("s_1", "s_2", "s_3"), ("slice_1_of_3", "slice_2_of_3", "slice_3_of_3"), ("a", "b"), ("s_010", "s_020", "s_030"),
    ("TCGA_DU_1_20000101_1", "TCGA_DU_1_20000101_2"), (),
]  # fmt: skip


@pytest.mark.parametrize("names", ODD)
def test_what_is_odd_is_told(names: tuple[str, ...]) -> None:
    (told,) = doubts_of(names)
    assert ODD[names] in told


@pytest.mark.parametrize("names", PLAIN)
def test_plain_names_raise_no_doubt(names: tuple[str, ...]) -> None:
    assert doubts_of(names) == ()
