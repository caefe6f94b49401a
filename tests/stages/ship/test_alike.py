"""Whether two files differ by rounding alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edgeseg.specs import Contract
from edgeseg.stages.ship.alike import rounded_alike

Write = Callable[..., Path]


def weighed(path: Path, into: Path, factor: float) -> Path:
    """Multiply all float weights of a file."""
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.float32:
            tensor.CopyFrom(numpy_helper.from_array((value * np.float32(factor)).astype(np.float32), tensor.name))
    onnx.save(model, into)
    return into


@pytest.mark.parametrize(("factor", "same"), [(1.0, True), (1.0 + 3e-7, True), (1.01, False)])
def test_last_bits_do_not_count_and_others_do(tiny_onnx: Write, tmp_path: Path, factor: float, same: bool) -> None:
    kept = tiny_onnx("kept.onnx")
    assert rounded_alike(weighed(kept, tmp_path / "made.onnx", factor), kept) is same


def test_another_contract_or_size_is_another_file(tiny_onnx: Write, tiny_contract: Contract, tmp_path: Path) -> None:
    kept = tiny_onnx("kept.onnx", contract=tiny_contract)
    other = tiny_onnx("other.onnx", contract=replace(tiny_contract, threshold=0.7))
    assert other.stat().st_size == kept.stat().st_size
    assert not rounded_alike(other, kept)
    longer = tmp_path / "longer.onnx"
    longer.write_bytes(kept.read_bytes() + b"\0")
    assert not rounded_alike(longer, kept)
