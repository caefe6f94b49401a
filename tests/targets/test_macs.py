"""Multiply-accumulates counted in a file are those of the network that it was converted from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeseg.targets.macs import count_macs
from edgeseg.variants import census


@pytest.mark.parametrize("name", ["onnx-int8", "tflite-int8", "ort-fp32", "ort-int8"])
def test_a_file_costs_what_its_network_costs(
    name: str, make_network: Callable[[], Any], artifact: Callable[[str], Path]
) -> None:
    assert count_macs(artifact(name)) == census(make_network()).macs > 0


def test_a_matrix_product_counts_and_a_shape_that_is_open_does_not(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save

    def write(sizes: list[int | str], domain: str = "") -> Path:
        ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("a", sizes), ("b", [5, 7]))]
        out = helper.make_tensor_value_info("c", TensorProto.FLOAT, None)
        graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"], domain=domain)], "g", ends, [out])
        save(helper.make_model(graph), str(tmp_path / "m.onnx"))
        return tmp_path / "m.onnx"

    assert count_macs(write([3, 5])) == 3 * 5 * 7
    assert count_macs(write([3, "k"])) is None
    assert count_macs(write([3, 5], "com.example")) is None


@pytest.mark.parametrize("name", ["a.onnx", "a.ort", "a.tflite", "a.hdf5"])
def test_a_file_that_cannot_be_read_has_no_count(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"nothing")
    assert count_macs(tmp_path / name) is None
