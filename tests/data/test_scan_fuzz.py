"""Files that were damaged anywhere: each reader gives slices or one EdgeSegError, never anything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from edgeseg.data.open_scan import open_scan
from edgeseg.data.slice_scan import SliceScan
from edgeseg.errors import EdgeSegError

Write = Callable[..., Path]
quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
edits = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6)
ends = st.one_of(st.just(1.0), st.floats(0, 1))


def mutate(content: bytes, changes: list[tuple[float, int]], end: float, *, head: int) -> bytes:
    """Overwrite bytes, half of the places among the first `head`, and cut the end off."""
    changed = bytearray(content)
    for number, (place, value) in enumerate(changes):
        changed[int(place * min(len(content), head if number % 2 else len(content)))] = value
    return bytes(changed[: int(end * len(changed))])


def read_all(path: Path) -> None:
    try:
        with open_scan(sequences={"flair": path}, salt="a salt for tests only") as scan:
            for index in range(min(2, len(scan.slice_names))):
                image = scan.image(index)
                assert image.dtype == np.uint8
                assert image.shape[2:] == (3,)
    except EdgeSegError as error:
        told = str(error)
        assert "Zyxwvu" not in told
        assert "4711" not in told


@pytest.mark.parametrize("name", ["flair.nii", "flair.nii.gz"])
def test_nifti(name: str, write_nifti: Write, scan_values: dict[str, Any]) -> None:
    path = write_nifti(name, scan_values["flair"])
    content = path.read_bytes()

    @quick
    @given(edits, ends)
    def check(changes: list[tuple[float, int]], end: float) -> None:
        path.write_bytes(mutate(content, changes, end, head=352))
        read_all(path)

    check()


def test_dicom(write_dicom: Write, scan_values: dict[str, Any]) -> None:
    folder = write_dicom("flair", scan_values["flair"][:2], description="FLAIR")
    path = sorted(folder.iterdir())[0]
    content = path.read_bytes()

    @quick
    @given(edits, ends)
    def check(changes: list[tuple[float, int]], end: float) -> None:
        path.write_bytes(mutate(content, changes, end, head=1400))
        read_all(folder)

    check()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_pictures(suffix: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    grey, colour = tmp_path / f"grey{suffix}", tmp_path / f"colour{suffix}"
    Image.fromarray(rng.integers(0, 255, (20, 24), dtype=np.uint8)).save(grey)
    Image.fromarray(rng.integers(0, 255, (20, 24, 3), dtype=np.uint8)).save(colour)
    named: list[bool] = []
    contents = {path: path.read_bytes() for path in (grey, colour)}

    @quick
    @given(edits, ends)
    def check(changes: list[tuple[float, int]], end: float) -> None:
        for path, content in contents.items():
            path.write_bytes(mutate(content, changes, end, head=200))
        read_all(grey)
        try:
            SliceScan("p", (colour,), volume=False).image(0)
        except EdgeSegError as error:
            named.append("colour" in str(error))

    check()
    assert named
    assert all(named)
