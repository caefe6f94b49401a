"""What tf2onnx cannot write is named; and nothing but one function converts with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeseg.backend import load_keras
from edgeseg.errors import ArtifactError
from edgeseg.specs import Contract
from edgeseg.targets import _onnx

ROOT = Path(__file__).resolve().parents[2]


def with_operation(compute: Callable[[Any], Any]) -> Any:
    """A network of one convolution behind a layer called `odd` that computes something."""
    keras = load_keras()

    class Odd(keras.layers.Layer):  # type: ignore[misc,name-defined]
        def call(self, x: Any) -> Any:
            return compute(x)

    given = keras.Input((8, 8, 3))
    return keras.Model(given, keras.layers.Conv2D(1, 1)(Odd(name="odd")(given)))


def test_an_operation_that_onnx_has_no_form_of_is_named_with_its_layer(make_contract: Callable[..., Contract]) -> None:
    import tensorflow as tf

    model = with_operation(lambda x: tf.raw_ops.Betainc(a=x, b=x, x=x))
    with pytest.raises(ArtifactError, match=r"tf2onnx cannot write the operation Betainc of layer 'odd'"):
        _onnx.float_graph(model, make_contract(height=8, width=8))


def test_an_operation_that_a_converter_breaks_on_is_named_with_its_layer(
    make_contract: Callable[..., Contract], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tf2onnx.handler import tf_op

    def broken(*_given: Any, **_options: Any) -> None:
        raise AttributeError("a name that a newer TensorFlow no longer has")

    mapped = tf_op.get_opsets()[""]
    for version in mapped:
        if "Relu" in version:
            monkeypatch.setitem(version, "Relu", (broken, {}))
    keras = load_keras()
    given = keras.Input((8, 8, 3))
    model = keras.Model(given, keras.layers.Conv2D(1, 1)(keras.layers.ReLU(name="first")(given)))
    with pytest.raises(ArtifactError, match=r"the operation Relu of layer 'first' \(a name that a newer TensorFlow"):
        _onnx.float_graph(model, make_contract(height=8, width=8))


def test_one_file_imports_tf2onnx() -> None:
    importing = re.compile(r"^\s*(import|from) tf2onnx", re.MULTILINE)
    found = {path.name for path in (ROOT / "edgeseg").rglob("*.py") if importing.search(path.read_text())}
    assert found == {"_tf2onnx.py"}
