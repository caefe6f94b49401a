"""`edgeseg inspect` and `edgeseg doctor`, as a user sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.cli.main import main
from edgeseg.jsonio import from_json, to_json
from edgeseg.results import Inspection, SelfTest
from edgeseg.runtime.contract import contract_text
from edgeseg.runtime.seal import reserved_text, seal
from edgeseg.runtime.self_test import make_case
from edgeseg.specs import Contract

Write = Callable[..., Path]
Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.setenv("COLUMNS", "80")

    def invoke(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return invoke


@pytest.fixture
def checked(tiny_onnx: Write, tiny_contract: Contract) -> Path:
    """A sealed model with a golden case."""
    path = tiny_onnx(contract=reserved_text(tiny_contract))
    case = make_case(
        lambda images: images[..., 1].astype(np.float32) / np.float32(255) * np.float32(20) - np.float32(10),
        tiny_contract,
        made_with="NumPy",
        step=None,
    )
    text = contract_text(path)
    assert case is not None
    assert text is not None
    path.write_bytes(seal(path.read_bytes(), text, replace(tiny_contract, golden=case)))
    return path


def test_an_artifact_is_shown_within_80_columns(run: Invoke, checked: Path) -> None:
    code, out, err = run("inspect", checked)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    for told in ("digests they were", "alphax-0.125-half", "channels pre, flair, post", "Research use only", "Conv"):
        assert told in out
    assert "CPUExecutionProvider" in out


def test_json_counts_operations_weights_and_bytes(
    run: Invoke, checked: Path, check_schema: Callable[[str, str], None]
) -> None:
    told = run("inspect", checked, "--json")[1]
    check_schema("inspect", told)
    check_schema("doctor", run("doctor", checked, "--json")[1])
    found = from_json(Inspection, told)
    assert found.macs == 16 * 24 * 3
    assert [(row.operation, row.count, row.macs) for row in found.graph.operations] == [("Conv", 1, 1152)]
    assert [(w.dtype, w.tensors, w.values, w.size_bytes) for w in found.graph.weights] == [("float32", 2, 4, 16)]
    parts = found.structure_bytes + 16 + sum(entry.size_bytes for entry in found.graph.metadata)
    assert parts == found.size_bytes == checked.stat().st_size
    assert found.sealed
    assert {part.taken_by for part in found.graph.execution} == {"CPUExecutionProvider"}


def test_author_and_licence_of_a_file_are_told_where_it_names_them(run: Invoke, tiny_onnx: Write) -> None:
    path = tiny_onnx(metadata={"model_author": "A [b]. C", "model_license": "CC0-1.0"})
    found = from_json(Inspection, run("inspect", path, "--json")[1])
    assert (found.graph.author, found.graph.licence) == ("A [b]. C", "CC0-1.0")
    lines = [line.split() for line in run("inspect", path)[1].splitlines()]
    assert ["author", "A", "[b].", "C"] in lines
    assert ["under", "CC0-1.0"] in lines
    assert from_json(Inspection, run("inspect", tiny_onnx("other.onnx"), "--json")[1]).graph.author == ""


@pytest.mark.parametrize(
    ("form", "operation", "stored"), [("float", "Conv", {"float32"}), ("int8", "QLinearConv", {"int8", "float32"})]
)
def test_ort_format_tells_what_its_onnx_file_does(
    run: Invoke, tiny_onnx: Write, tmp_path: Path, form: str, operation: str, stored: set[str]
) -> None:
    from edgeseg.targets import _ort

    path = tmp_path / "tiny.ort"
    path.write_bytes(_ort.saved(tiny_onnx(form=form).read_bytes()))
    found = from_json(Inspection, run("inspect", path, "--json")[1])
    assert found.macs == 16 * 24 * 3
    assert [(row.operation, row.count, row.macs) for row in found.graph.operations] == [(operation, 1, 1152)]
    assert stored <= {row.dtype for row in found.graph.weights}
    assert sum(row.values for row in found.graph.weights) >= 4
    parts = sum(row.size_bytes for row in found.graph.weights) + sum(row.size_bytes for row in found.graph.metadata)
    assert found.structure_bytes == found.size_bytes - parts > 0
    assert found.contract is not None


@pytest.mark.parametrize("int8", [False, True])
def test_tflite_says_what_its_delegate_takes(
    run: Invoke, tiny_tflite: Write, tiny_contract: Contract, *, int8: bool
) -> None:
    found = from_json(Inspection, run("inspect", tiny_tflite(int8=int8), "--json")[1])
    assert [(row.operation, row.count, row.macs) for row in found.graph.operations] == [("CONV_2D", 1, 1152)]
    assert sum(w.values for w in found.graph.weights) == 4
    assert {w.dtype for w in found.graph.weights} == ({"int8", "int32"} if int8 else {"float32"})
    taken: dict[str, int] = {}
    for part in found.graph.execution:
        taken |= part.operations
    assert taken == {"CONV_2D": 1}
    assert not found.sealed
    assert found.contract is not None


def test_int8_ends_say_what_their_codes_mean(run: Invoke, tiny_onnx: Write) -> None:
    code, out, _ = run("inspect", tiny_onnx(form="int8"))
    assert code == 0
    assert "int8, real = (code +128) * 0.00392157" in " ".join(out.split())


def test_a_model_without_a_contract_is_inspected_and_gets_a_template_that_runs_it(
    run: Invoke, tiny_onnx: Write, tmp_path: Path
) -> None:
    bare = tiny_onnx(contract=None)
    code, out, _ = run("inspect", bare)
    assert code == 0
    assert "contract: none" in out
    code, out, _ = run("inspect", bare, "--contract-json")
    given = from_json(Contract, out)
    assert (given.layout, given.height, given.width, given.trained_on) == ("NCHW", 16, 24, "unknown")
    template = tmp_path / "contract.json"
    template.write_text(out)
    code, _, err = run("doctor", bare)
    assert code == 2
    assert "carries no contract" in err
    assert "--contract" in err
    from PIL import Image

    (tmp_path / "p").mkdir()
    Image.new("RGB", (24, 16), (0, 200, 0)).save(tmp_path / "p" / "p_1.png")
    masks = tmp_path / "masks"
    assert run("run", bare, tmp_path / "p", "--out", masks)[0] == 2
    code, out, err = run("run", bare, tmp_path / "p", "--out", masks, "--contract", template, "--json")
    assert (code, err.count("\n"), "there is no signal" in err) == (0, 1, True)
    assert json.loads(out)["patients"][0]["tumour_pixels"] == 16 * 24


def test_a_damaged_file_is_shown_and_exits_1(run: Invoke, checked: Path) -> None:
    content = checked.read_bytes()
    checked.write_bytes(content.replace(b"\x00\x00\xa0\x41", b"\x01\x00\xa0\x41", 1))
    code, out, err = run("inspect", checked)
    assert code == 1
    assert "contract: damaged" in out
    assert err.startswith("error: ")
    assert "graph or weights are not those" in err
    code, _, err = run("doctor", checked)
    assert code == 2
    assert "graph or weights are not those" in err


@pytest.mark.parametrize("suffix", [".onnx", ".tflite", ".hdf5"])
def test_what_is_no_model_is_one_clear_error(run: Invoke, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    assert "does not exist" in run("inspect", path)[2]
    path.write_bytes(b"nothing of the kind" * 100)
    code, out, err = run("inspect", path)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert path.name in err
    assert "cannot tell the format" in run("inspect", tmp_path / "x.bin")[2]


def test_a_network_that_is_no_model_yet_is_told_the_way(run: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "mine.keras"
    assert "there is nothing at this path either" in run("inspect", path)[2]
    path.write_bytes(b"PK")
    for command in (("inspect",), ("doctor",)):
        code, _, err = run(*command, path)
        assert code == 2
        assert "make one of this network with: edgeseg build --from" in err


def test_a_template_needs_a_model_that_takes_an_image(run: Invoke, tiny_onnx: Write) -> None:
    code, _, err = run("inspect", tiny_onnx(contract=None, weights=(1.0,) * 17), "--contract-json")
    assert code == 2
    assert "one image of 1 to 16 channels" in err


def test_doctor_passes_a_sound_artifact(run: Invoke, checked: Path) -> None:
    code, out, err = run("doctor", checked)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert "passed" in out
    assert "0 of 384 pixels flip" in out
    assert from_json(SelfTest, run("doctor", checked, "--json")[1]).passed


def test_doctor_fails_an_artifact_that_draws_something_else(
    run: Invoke, checked: Path, tiny_onnx: Write, tmp_path: Path
) -> None:
    from edgeseg.runtime import read_contract

    contract = replace(read_contract(checked), content_sha256=None, contract_sha256=None)
    swapped = tiny_onnx("swapped.onnx", contract=to_json(contract), weights=(20.0, 0.0, 0.0))
    code, out, err = run("doctor", swapped)
    assert code == 1
    assert "FAILED" in out
    assert "pixels of the golden mask flip here and 0 may" in err


def test_doctor_needs_a_golden_case(run: Invoke, tiny_onnx: Write) -> None:
    code, _, err = run("doctor", tiny_onnx())
    assert code == 2
    assert "no golden case" in err
