"""ORT format: the same bytes every time, the same codes as ONNX, and a list of operators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from edgeseg.errors import ArtifactError
from edgeseg.runtime import Segmenter
from edgeseg.targets import _ort

Write = Callable[..., Path]


def test_the_table_of_kernels_is_the_same_in_order(tiny_onnx: Write) -> None:
    source = tiny_onnx(form="int8").read_bytes()
    saved = [_ort.saved(source) for _ in range(4)]
    assert len(set(saved)) == 1
    kernels = _ort._read(saved[0])
    assert list(kernels) == sorted(kernels)
    assert [list(kinds) for kinds in kernels.values()] == [sorted(kinds) for kinds in kernels.values()]


@pytest.mark.parametrize("form", ["float", "qdq", "int8"])
def test_the_file_computes_what_the_onnx_file_does(form: str, tiny_onnx: Write, tmp_path: Path) -> None:
    source = tiny_onnx(form=form)
    path = tmp_path / "tiny.ort"
    path.write_bytes(_ort.saved(source.read_bytes()))
    _ort.write_operators(path)
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), dtype=np.uint8)
    one, other = Segmenter.load(source), Segmenter.load(path)
    assert one.contract == other.contract
    assert np.abs(one.logits(images) - other.logits(images)).max() <= 0.125
    assert other.numerics.startswith("float32" if form == "float" else "int8, ")


def test_the_list_of_operators_stands_beside_the_file(tiny_onnx: Write, tmp_path: Path) -> None:
    path = tmp_path / "tiny.ort"
    path.write_bytes(_ort.saved(tiny_onnx(form="int8").read_bytes()))
    _ort.write_operators(path)
    text = (tmp_path / "tiny.required_operators.config").read_text()
    assert text.splitlines()[1:] == ["ai.onnx;10;QLinearConv"]
    path.write_bytes(_ort.saved(tiny_onnx().read_bytes()))
    _ort.write_operators(path)
    assert "Conv" in (tmp_path / "tiny.required_operators.config").read_text()


def test_a_host_whose_kernels_saturate_is_told_so(tiny_onnx: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgeseg.runtime import numerics

    monkeypatch.setattr(numerics, "int8_kernels_exact", lambda: False)
    assert numerics.saved_integer_numerics() == "int8, saturating (integer graph)"

    def wrong() -> bool:
        raise ArtifactError("wrong in every mode")

    monkeypatch.setattr(numerics, "int8_kernels_exact", wrong)
    assert numerics.saved_integer_numerics() == "int8, saturating (integer graph)"
    monkeypatch.setattr(numerics, "int8_kernels_exact", lambda: True)
    assert numerics.saved_integer_numerics() == "int8, exact (integer graph)"


def test_what_is_no_graph_is_one_clear_error() -> None:
    with pytest.raises(ArtifactError, match="cannot save the graph in ORT format"):
        _ort.saved(b"no model")


def test_another_layout_of_the_file_is_refused(tiny_onnx: Write) -> None:
    data = _ort.saved(tiny_onnx().read_bytes())
    with pytest.raises(ArtifactError, match=r"saved no ORT format; use its version in requirements.lock"):
        _ort._in_order(data[:4] + b"ORTX" + data[8:])


def test_the_file_opens_without_the_reader_of_onnx(tiny_onnx: Write, tmp_path: Path) -> None:
    path = tmp_path / "tiny.ort"
    path.write_bytes(_ort.saved(tiny_onnx().read_bytes()))
    _ort.write_operators(path)
    assert path.read_bytes()[4:8] == b"ORTM"
    session = ort.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    assert "edgeseg.contract" in session.get_modelmeta().custom_metadata_map
