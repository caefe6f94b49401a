from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeseg import networks
from edgeseg.runtime.contract import contract_text
from edgeseg.runtime.litert_session import LitertSession
from edgeseg.targets.float_ends import with_float_ends


@pytest.fixture(params=["tiny", "light"])
def model(request: pytest.FixtureRequest, tiny_tflite: Callable[..., Path]) -> Path:
    """One convolution, and a whole network that ships."""
    return tiny_tflite(int8=True) if request.param == "tiny" else networks.get("light").file("tflite-int8")


def test_every_code_is_that_of_the_file_before(model: Path, tmp_path: Path) -> None:
    place = tmp_path / "float-ends.tflite"
    place.write_bytes(with_float_ends(model.read_bytes()))
    before, after = LitertSession(model, threads=1), LitertSession(place, threads=1)
    assert (after.precision, after.input.dtype, after.output.dtype) == ("int8", "float32", "float32")
    assert (after.input.shape, after.output.shape) == (before.input.shape, before.output.shape)
    shape = [int(size or 0) for size in before.input.shape]
    codes = np.random.default_rng(1).integers(-128, 128, shape, np.int8)
    scale, zero = np.float32(before.input.scale or 0), before.input.zero_point or 0
    found = after.infer((codes.astype(np.float32) - zero) * scale)
    wanted = before.infer(codes).astype(np.float32) - (before.output.zero_point or 0)
    np.testing.assert_array_equal(found, wanted * np.float32(before.output.scale or 0))
    assert len(np.unique(found)) > 2


def test_equal_files_give_equal_bytes_and_the_contract_stays(model: Path, tmp_path: Path) -> None:
    place = tmp_path / "float-ends.tflite"
    place.write_bytes(with_float_ends(model.read_bytes()))
    assert with_float_ends(model.read_bytes()) == place.read_bytes() != model.read_bytes()
    assert (text := contract_text(model)) is not None
    assert contract_text(place) == text
