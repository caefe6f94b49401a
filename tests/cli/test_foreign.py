"""Models of somebody else, as a user meets them: one line and exit code 2, or a warning, but never in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeseg.cli.main import main
from edgeseg.jsonio import to_json
from edgeseg.specs import Contract

Write = Callable[..., Path]
Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Invoke:
    def invoke(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return invoke


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    folder = tmp_path / "p"
    folder.mkdir()
    image = np.zeros((16, 24, 3), np.uint8)
    image[4:12, 4:20] = (90, 60, 80)
    image[5:8, 9:12, 1] = 250
    Image.fromarray(image).save(folder / "p_1.png")
    return folder


@pytest.fixture
def contract(tmp_path: Path, tiny_contract: Contract) -> Path:
    path = tmp_path / "told.json"
    path.write_text(to_json(tiny_contract))
    return path


def test_the_template_of_a_sigmoid_draws_what_the_file_without_it_draws(
    run: Invoke, foreign_onnx: Write, scan: Path, tmp_path: Path
) -> None:
    drawn = []
    for tail in ((), ("Sigmoid",)):
        model, told = foreign_onnx(tail=tail), tmp_path / "contract.json"
        code, out, err = run("inspect", model, "--contract-json")
        assert (code, err) == (0, "")
        told.write_text(out)
        code, out, err = run("run", model, scan, "--contract", told, "--out", tmp_path / "out", "--json")
        assert (code, err) == (0, "")
        (patient,) = json.loads(out)["patients"]
        drawn.append((patient["tumour_pixels"], patient["warnings"]))
    assert drawn == [(9, []), (9, [])]


def test_what_looks_wrong_is_said_on_the_terminal(
    run: Invoke, foreign_onnx: Write, scan: Path, contract: Path, tmp_path: Path
) -> None:
    code, _, err = run("run", foreign_onnx(tail=("Sigmoid",)), scan, "--contract", contract, "--out", tmp_path / "out")
    assert code == 0
    assert "looks like probabilities" in err
    assert "of what is not black" in err
    (patient,) = json.loads((tmp_path / "out" / "summary.json").read_text())["patients"]
    assert len(patient["warnings"]) == 2


def test_what_cannot_be_told_is_said_beside_the_template(run: Invoke, foreign_onnx: Write) -> None:
    code, out, err = run("inspect", foreign_onnx(tail=("Tanh",)), "--contract-json")
    assert (code, json.loads(out)["output"]) == (0, "logits")
    assert err.startswith(
        "warning: foreign.onnx: whether it gives logits or probabilities cannot be told (ends in Tanh"
    )
    assert "unknown (ends in Tanh" in run("inspect", foreign_onnx(tail=("Tanh",)))[1]


def _two_outputs(path: Path) -> Path:
    import tensorflow as tf

    from edgeseg.quiet import quiet

    @tf.function(input_signature=[tf.TensorSpec((1, 16, 24, 3), tf.float32)])  # type: ignore[untyped-decorator]
    def both(x: Any) -> Any:
        return x[..., :1] * 2.0, x[..., 1:2] + 1.0

    with quiet((1, 2)):
        converter = tf.lite.TFLiteConverter.from_concrete_functions([both.get_concrete_function()], both)
        path.write_bytes(converter.convert())
    return path


@pytest.mark.parametrize("kind", ["cut short", "classifier", "two inputs", "float16", "smaller", "two outputs"])
def test_files_of_another_kind_end_with_2_and_one_line(
    run: Invoke, foreign_onnx: Write, scan: Path, contract: Path, tmp_path: Path, kind: str
) -> None:
    pool = ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]})
    options: dict[str, dict[str, Any]] = {
        "classifier": {"tail": ("GlobalAveragePool", "Flatten"), "result": (1, 1)},
        "two inputs": {"more": ("z",)},
        "float16": {"dtype": "FLOAT16"},
        "smaller": {"tail": (pool,), "result": (1, 1, 8, 12)},
    }
    model = _two_outputs(tmp_path / "two.tflite") if kind == "two outputs" else foreign_onnx(**options.get(kind, {}))
    if kind == "cut short":
        model.write_bytes(model.read_bytes()[:-20])
    for command in (
        ("run", model, scan, "--contract", contract, "--out", tmp_path / "out"),
        ("inspect", model, "--contract-json"),
    ):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        (line,) = err.splitlines()
        assert line.startswith("error: ")
        assert model.name in line
    assert not (tmp_path / "out").exists()


def test_weights_beside_the_graph_count(run: Invoke, foreign_onnx: Write, scan: Path, tmp_path: Path) -> None:
    model = foreign_onnx("p.onnx", save_as_external_data=True, location="p.onnx.data", size_threshold=0)
    told, data = tmp_path / "contract.json", tmp_path / "p.onnx.data"
    told.write_text(run("inspect", model, "--contract-json")[1])
    assert "p.onnx.data" in run("inspect", model)[1]
    code, out, _ = run("run", model, scan, "--contract", told, "--out", tmp_path / "out", "--json")
    assert code == 0
    assert json.loads(out)["model_sha256"] == json.loads(told.read_text())["content_sha256"]
    data.write_bytes(bytes(data.stat().st_size))
    assert run("run", model, scan, "--contract", told, "--out", tmp_path / "out")[0] == 2
    data.unlink()
    for command in (("inspect", model), ("run", model, scan, "--contract", told, "--out", tmp_path / "out")):
        code, _, err = run(*command)
        assert code == 2
        assert "no such file" in err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.onnx", b"PK\x03\x04" + bytes(40), "torch.onnx.export"),
        ("m.tflite", b"\x89HDF\r\n\x1a\n" + bytes(40), "edgeseg build --from"),
        ("m.onnx", b"\x80\x04\x95" + bytes(40), "pickle"),
        ("m.onnx", b"\x1c\0\0\0TFL3" + bytes(40), "is a .tflite model by its content"),
        ("m.tflite", b"", "is empty"),
        ("m.onnx", bytes(64), "filled with zeros"),
    ],
    ids=["zip", "hdf5", "pickle", "other format", "empty", "zeros"],
)
def test_a_sound_file_under_a_wrong_name_is_not_called_damaged(
    run: Invoke, tmp_path: Path, contract: Path, name: str, content: bytes, message: str
) -> None:
    model = tmp_path / name
    model.write_bytes(content)
    for command in (
        ("inspect", model),
        ("doctor", model),
        ("contract", "show", model),
        ("contract", "check", model, "--contract", contract),
        ("bench", model, "--contract", contract),
    ):
        code, out, err = run(*command)
        (line,) = err.splitlines()
        assert (code, out, message in line, "damaged" in line) == (2, "", True, False), line


def test_an_operation_that_no_runtime_knows_is_not_called_damaged(run: Invoke, foreign_onnx: Write) -> None:
    import onnx

    path = foreign_onnx()
    model = onnx.load(str(path))
    model.graph.node[0].op_type = "Blorp"
    path.write_bytes(model.SerializeToString())
    code, _, err = run("inspect", path)
    assert (code, "does not know" in err, "damaged" in err) == (2, True, False)
