from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import pytest

from edgeseg.cli.main import main
from edgeseg.foreign import ForeignContract, read_foreign_contract, write_contract_toml
from edgeseg.runtime import Segmenter, read_contract
from edgeseg.runtime.contract_file import read_contract_document
from edgeseg.specs import Contract, MaskRegion, contract_toml
from tests.conftest import TINY_HEIGHT, TINY_WIDTH
from tests.imaging._cases import CASES, normalised

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
def told(tmp_path: Path, tiny_contract: Contract) -> Callable[..., Path]:
    """Give a function that writes a contract as TOML, with changes."""

    def write(name: str = "unit", **changes: Any) -> Path:
        path = tmp_path / "contract.toml"
        path.write_text(contract_toml(replace(normalised(tiny_contract, name), **changes)), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", CASES)
def test_toml_says_what_the_contract_does(name: str, told: Callable[..., Path], tiny_contract: Contract) -> None:
    classes: dict[str, Any] = {"classes": ("rest", "tümour", 'a "b"\\'), "foreground": (1, 2), "output": "softmax"}
    given = replace(normalised(tiny_contract, name), **classes, output_layout="NHWC", licence="CC BY")
    path = told(name, **classes, output_layout="NHWC", licence="CC BY")
    found = read_contract_document(path)
    kept: dict[str, Any] = {"variant": found.variant, "tier": found.tier, "schema_version": 3}
    assert found == replace(given, **kept)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["output"] == "softmax"


@pytest.mark.parametrize(
    ("field", "value"),
    [("plane", "coronal"), ("reference_channel", "post"), ("stand_in", "post")],
    ids=["plane", "reference", "stand-in"],
)
def test_toml_keeps_what_says_which_slices_and_channels_are_taken(
    field: str, value: str, tiny_contract: Contract, tmp_path: Path
) -> None:
    place, said = tmp_path / "contract.toml", cast("dict[str, Any]", {field: value})
    place.write_text(contract_toml(replace(tiny_contract, **said)), encoding="utf-8")
    assert getattr(read_contract_document(place), field) == value


def test_toml_leaves_out_what_edgeseg_keeps_for_itself_alone(tiny_contract: Contract) -> None:
    own = {"variant", "tier", "schema_version", "training_hash", "calibrated_on", "calibration_hash", "seen_patients"}
    own |= {"intended_use", "profile", "golden", "contract_sha256", "content_sha256", "float_layers", "trust"}
    counted = next(name for name, changes in CASES.items() if "intensity" in changes)
    full = replace(
        normalised(tiny_contract, counted),
        output="softmax",
        classes=("a", "b"),
        output_layout="NCHW",
        regions=(MaskRegion(name="a", channels=(0,), label=1), MaskRegion(name="b", channels=(1,), label=2)),
        reference_channel="post",
        stand_in="post",
        licence="MIT",
    )
    written = {*tomllib.loads(contract_toml(full)), "foreground"}
    assert {one.name for one in fields(Contract)} - written == own


def test_a_size_and_classes_by_name_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'layout = "NHWC"\nsize = [32, 48]\n'
        'output = "softmax"\nclasses = ["rest", "core", "rim"]\nforeground = ["rim"]\n'
    )
    found = read_contract_document(path)
    assert (found.height, found.width, found.foreground) == (32, 48, (2,))
    path.write_text('layout = "NHWC"\nsize = 32\n')
    assert read_contract_document(path).image.height == 32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layout = ", "not TOML"),
        ('layout = "NHWC"\nlayuot = 1\n', "unknown key 'layuot'"),
        ('layout = "HWC"\n', "choose one of: NCHW, NHWC"),
        ('layout = "NHWC"\nsize = [1, 2, 3]\n', "size is one number"),
        ('layout = "NHWC"\nsize = 32\nheight = 32\n', "in place of height and width"),
        ('layout = "NHWC"\nschema_version = 7\n', "reads up to 6"),
        ('layout = "NHWC"\nnormalisation = "z-score"\n', "intensity is missing"),
        ('layout = "NHWC"\nclasses = ["a", "b"]\nforeground = ["c"]\n', "not among classes"),
        ('layout = "NHWC"\nclasses = ["a", "b"]\nforeground = [2]\n', "numbers, from 0 on"),
        ('layout = "NHWC"\nclasses = ["a", "b"]\nforeground = [0, 1]\n', "leave at least one"),
        ('layout = "NHWC"\nclasses = ["a"]\nforeground = [0]\n', "leave classes out"),
        ('layout = "NHWC"\noutput = "softmax"\n', "classes are missing"),
    ],
)
def test_a_document_that_is_no_contract_is_one_error(run: Invoke, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    code, out, err = run("contract", "check", path)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())


@pytest.mark.parametrize("kind", ["onnx", "tflite"])
@pytest.mark.parametrize("name", ["unit", "buda"])
def test_a_model_with_a_contract_attached_draws_what_it_drew_with_it_beside(
    run: Invoke, kind: str, name: str, tiny_onnx: Write, tiny_tflite: Write, told: Callable[..., Path], tmp_path: Path
) -> None:
    layout = {"layout": "NHWC"} if kind == "tflite" else {}
    bare = tiny_onnx(contract=None) if kind == "onnx" else tiny_tflite(contract=None)
    document, made = told(name, **layout), tmp_path / f"made.{kind}"
    before = bare.read_bytes()
    code, out, _ = run("contract", "attach", bare, "--contract", document, "--out", made)
    assert (code, out) == (0, f"wrote {made}; now: edgeseg doctor {made}\n")
    assert bare.read_bytes() == before
    found = read_contract(made)
    assert found.content_sha256 is not None
    assert found.contract_sha256 is not None
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), dtype=np.uint8)
    beside = Segmenter.load(bare, contract=document).segment_volume(images)
    assert 0 < beside.mean() < 1
    assert np.array_equal(Segmenter.load(made).segment_volume(images), beside)
    assert run("contract", "check", made)[0] == 0
    made.write_bytes(made.read_bytes().replace(b'"threshold":0.5', b'"threshold":0.6'))
    code, _, err = run("contract", "check", made)
    assert code == 2
    assert "changed after it was sealed" in err


def test_weights_outside_the_graph_are_sealed_as_well(
    run: Invoke, foreign_onnx: Write, told: Callable[..., Path]
) -> None:
    model = foreign_onnx(save_as_external_data=True, location="w.bin", size_threshold=0)
    code, _, err = run("contract", "attach", model, "--contract", told(), "--out", model.with_name("made.onnx"))
    assert (code, err) == (0, "")
    made = model.with_name("made.onnx")
    assert Segmenter.load(made).self_test().passed
    weights = model.with_name("w.bin")
    weights.write_bytes(bytes([weights.read_bytes()[0] ^ 1]) + weights.read_bytes()[1:])
    code, _, err = run("contract", "check", made)
    assert code == 2
    assert "graph or weights" in err


def test_a_contract_beside_is_pinned_to_its_model(run: Invoke, tiny_onnx: Write, told: Callable[..., Path]) -> None:
    bare = tiny_onnx(contract=None)
    place = bare.with_name("tiny.onnx.contract.json")
    code, out, _ = run("contract", "attach", bare, "--contract", told("buda"), "--beside")
    assert (code, str(place) in out) == (0, True)
    assert run("contract", "check", bare, "--contract", place)[0] == 0
    code, _, err = run("contract", "attach", bare, "--contract", told(), "--beside")
    assert code == 2
    assert "is there already" in err
    other = tiny_onnx("other.onnx", contract=None, weights=(0.0, 10.0, 0.0))
    code, _, err = run("contract", "check", other, "--contract", place)
    assert code == 2
    assert "written for a model whose SHA-256" in err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"height": 32}, "describes 1 x 3 x 32 x 24"),
        ({"layout": "NHWC"}, "describes 1 x 16 x 24 x 3"),
        ({"output_layout": "NHWC"}, "the contract (NHWC) describes 1 x 16 x 24 x 1"),
        ({"channels": ("flair",)}, "describes 1 x 1 x 16 x 24"),
        ({"classes": ("rest", "tumour"), "foreground": (1,)}, "describes 1 x 2 x 16 x 24"),
        ({"output": "probabilities"}, "gave values from"),
    ],
)
def test_a_contract_that_contradicts_the_graph(
    run: Invoke, tiny_onnx: Write, told: Callable[..., Path], changes: dict[str, Any], message: str
) -> None:
    bare = tiny_onnx(contract=None)
    before = bare.read_bytes()
    for command in (("contract", "check"), ("contract", "attach"), ("contract", "attach", "--beside"), ("doctor",)):
        code, out, err = run(*command, bare, "--contract", told(**changes))
        assert (code, out) == (2, "")
        if command != ("doctor",) or changes != {"output": "probabilities"}:
            assert message in " ".join(err.split()), err
    assert bare.read_bytes() == before
    assert sorted(path.name for path in bare.parent.iterdir() if path.suffix == ".json") == []


def test_a_model_with_a_contract_takes_no_second_one(run: Invoke, tiny_onnx: Write, told: Callable[..., Path]) -> None:
    for command in (("attach",), ("attach", "--beside"), ("check",)):
        code, _, err = run("contract", *command, tiny_onnx(), "--contract", told())
        assert code == 2
        assert "would be a second one" in err


def test_what_is_shown_of_a_bare_model_is_a_contract_for_it(run: Invoke, foreign_onnx: Write, tmp_path: Path) -> None:
    model, place = foreign_onnx(tail=("Sigmoid",)), tmp_path / "c.toml"
    code, out, err = run("contract", "show", model)
    assert (code, err) == (0, "")
    assert 'output = "probabilities"' in out
    place.write_text(out, encoding="utf-8")
    assert run("contract", "check", model, "--contract", place)[0] == 0
    code, out, _ = run("contract", "show", place, "--json")
    assert (code, json.loads(out)["output"]) == (0, "probabilities")


def test_what_is_guessed_is_said(run: Invoke, foreign_onnx: Write) -> None:
    code, out, err = run("contract", "show", foreign_onnx(tail=("Tanh",)))
    assert code == 0
    assert "cannot be told" in err
    assert "cannot be told" in out


@pytest.mark.parametrize(
    "command",
    [
        ("evaluate", "{bare}", "--data", "{data}"),
        ("verify", "{bare}", "--reference", "{own}", "--data", "{data}"),
        ("bench", "{bare}", "{own}", "--runs", "1", "--warmup", "1"),
        ("inspect", "{bare}"),
        ("run", "{bare}", "{data}", "--out", "{out}"),
        ("contract", "check", "{bare}"),
        ("contract", "attach", "{bare}", "--out", "{out}.onnx"),
    ],
    ids=lambda command: "-".join(command[:2]).removesuffix("-{bare}"),
)
def test_whoever_takes_an_artifact_takes_a_contract(
    run: Invoke, tiny_onnx: Write, told: Callable[..., Path], tiny_lgg: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    places = {"bare": tiny_onnx("bare.onnx", contract=None), "own": tiny_onnx("own.onnx"), "data": tiny_lgg}
    given = [word.format(**places, out=tmp_path / "out") for word in command]
    code, out, err = run(*given, "--contract", told())
    assert (code, err.count("error")) == (0, 0), err
    assert "without a contract" not in out
    assert "contract: none" not in out


def test_what_bench_is_given_belongs_to_a_model(run: Invoke, tiny_onnx: Write, told: Callable[..., Path]) -> None:
    code, _, err = run("bench", tiny_onnx(), "--contract", told())
    assert (code, "carries a contract; leave --contract out" in err) == (2, True)
    bare = tiny_onnx("bare.onnx", contract=None)
    code, _, err = run("bench", bare, "--contract", told(content_sha256="0" * 64))
    assert (code, "none of those that were given" in " ".join(err.split())) == (2, True)


def test_a_template_of_import_is_a_contract_for_a_model(
    run: Invoke, tiny_onnx: Write, tiny_tflite: Write, tmp_path: Path
) -> None:
    place = tmp_path / "contract.toml"
    given = ForeignContract(size=(TINY_HEIGHT, TINY_WIDTH), output="logits", output_name="y", threshold=0.25)
    place.write_text(write_contract_toml(given, ()), encoding="utf-8")
    bare = tiny_tflite("i.tflite", contract=None, int8=True)
    for model, layout, target in (
        (tiny_onnx("f.onnx", contract=None), "NCHW", "onnx-fp32"),
        (tiny_tflite("f.tflite", contract=None), "NHWC", "tflite-fp32"),
        (bare, "NHWC", "tflite-int8"),
    ):
        found = Segmenter.load(model, contract=place).contract
        assert (found.layout, found.target, found.threshold) == (layout, target, 0.25)
        made = model.with_name("made" + model.suffix)
        assert run("contract", "attach", model, "--contract", place, "--out", made)[0] == 0
        assert read_contract(made).layout == layout
    code, out, err = run("contract", "check", place)
    assert (code, err) == (0, "")
    code, out, err = run("contract", "show", place)
    assert (code, out) == (2, "")
    assert "layout is missing, and the model alone tells it" in " ".join(err.split())


@pytest.mark.parametrize("quote", ['say "no"', "back\\slash"])
def test_texts_with_quotes_stay_texts_in_a_template(tmp_path: Path, quote: str) -> None:
    place = tmp_path / "contract.toml"
    place.write_text(write_contract_toml(ForeignContract(trained_on=quote), ()), encoding="utf-8")
    assert read_foreign_contract(place).trained_on == quote


@pytest.mark.parametrize("output", ["logits", "softmax", "probabilities"])
@pytest.mark.parametrize("layout", [None, "NHWC"])
def test_several_channels_are_one_logit(
    foreign_onnx: Write, told: Callable[..., Path], output: str, layout: str | None
) -> None:
    """Three classes of a softmax, of which two are tumour: it is there exactly where one of those wins."""
    tail: tuple[Any, ...] = {
        "logits": (), "softmax": (("Softmax", {"axis": 1}),), "probabilities": ("Sigmoid",),
    }[output]  # fmt: skip
    weight = ((4.0, 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.0, 4.0))
    result = (1, 3, 16, 24)
    if layout is not None:
        tail, result = (*tail, ("Transpose", {"perm": [0, 2, 3, 1]})), (1, 16, 24, 3)
    model = foreign_onnx(tail=tail, weight=weight, result=result)
    document = told(output=output, output_layout=layout, classes=("rest", "core", "rim"), foreground=(1, 2))
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), dtype=np.uint8)
    found = Segmenter.load(model, contract=document).segment(images)
    wanted = images[..., 1:].max(axis=3) > (127.5 if output == "probabilities" else images[..., 0])
    assert np.array_equal(found, wanted)
    assert onnx.load(model).graph.output[0].type.tensor_type.shape.dim[1].dim_value == result[1]
