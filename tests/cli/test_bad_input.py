"""Each kind of bad input through the command line: one `error:` line, exit code 2, and nothing written."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.artifacts import shipped
from edgeseg.cli import main as cli
from edgeseg.runtime.contract import contract_text
from edgeseg.runtime.seal import reserved_text, seal
from edgeseg.specs import Contract
from tests.conftest import SYNTHETIC_BUILD

PATIENT = "TCGA_AA_0002_20000102"
SIDE = 64
Damage = Callable[[Path, Path], None]


def _save(shape: tuple[int, ...], kind: type[np.generic]) -> Damage:
    return lambda image, _mask: Image.fromarray(np.zeros(shape, kind)).save(image)


def _truncate(image: Path, _mask: Path) -> None:
    image.write_bytes(image.read_bytes()[:2000])


def _other_size(_image: Path, mask: Path) -> None:
    Image.fromarray(np.zeros((SIDE // 2, SIDE), np.uint8)).save(mask)


def _no_mask(_image: Path, mask: Path) -> None:
    mask.unlink()


SLICES: dict[str, Damage] = {
    "truncated": _truncate,
    "16-bit": _save((SIDE, SIDE), np.uint16),
    "4-channel": _save((SIDE, SIDE, 4), np.uint8),
}
MASKS: dict[str, Damage] = {"mask-of-another-size": _other_size, "no-mask": _no_mask}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Give a function that runs a command with `--out` and gives the message that it was refused with."""

    def refuse(*arguments: object) -> str:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        with pytest.raises(SystemExit) as ended:
            cli.main([str(item) for item in arguments])
        assert ended.value.code == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        (line,) = printed.err.splitlines()
        assert line.startswith("error: ")
        assert not line.startswith("error: internal")
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        return line

    return refuse


def _damaged(root: Path, damage: Damage) -> str:
    image = root / "kaggle_3m" / PATIENT / f"{PATIENT}_2.tif"
    damage(image, image.with_name(f"{PATIENT}_2_mask.tif"))
    return f"{PATIENT}_2"


@pytest.mark.parametrize("name", [*SLICES, *MASKS])
def test_training_on_a_bad_slice(name: str, tiny_lgg: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    named = _damaged(tiny_lgg, (SLICES | MASKS)[name])
    assert named in refused("train", "--data", tiny_lgg, "--out", tmp_path / "out")


@pytest.mark.parametrize("name", [*SLICES, *MASKS])
def test_scoring_a_bad_slice(
    name: str, tiny_lgg: Path, tiny_onnx: Callable[..., Path], refused: Callable[..., str]
) -> None:
    named = _damaged(tiny_lgg, (SLICES | MASKS)[name])
    assert named in refused("evaluate", tiny_onnx(), "--data", tiny_lgg)


@pytest.mark.parametrize("name", SLICES)
def test_segmenting_a_bad_slice(
    name: str, tiny_lgg: Path, tiny_onnx: Callable[..., Path], tmp_path: Path, refused: Callable[..., str]
) -> None:
    named = _damaged(tiny_lgg, SLICES[name])
    patient = tiny_lgg / "kaggle_3m" / PATIENT
    assert named in refused("run", tiny_onnx(), patient, "--out", tmp_path / "out")


@pytest.mark.parametrize("state", ["missing", "empty"])
@pytest.mark.parametrize("command", ["train", "build", "evaluate", "run", "verify", "claims"])
def test_a_missing_or_empty_folder(
    command: str, state: str, tiny_onnx: Callable[..., Path], tmp_path: Path, refused: Callable[..., str]
) -> None:
    folder, out, model = tmp_path / "folder", tmp_path / "out", tiny_onnx()
    if state == "empty":
        folder.mkdir()
    arguments: dict[str, tuple[object, ...]] = {
        "train": ("--data", folder, "--out", out),
        "build": ("--target", "all", "--data", folder, "--out", out),
        "evaluate": (model, "--data", folder),
        "run": (model, folder, "--out", out),
        "verify": (model, "--reference", model, "--data", folder),
        "claims": ("--build", folder, "--out", out),
    }
    assert str(folder) in refused(command, *arguments[command])
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("build", "--target", "tflite-int4"), "unknown target 'tflite-int4'; choose one of: all, keras-fp32"),
        (("build", "--target", "all", "--variant", "unett"), "unknown variant 'unett'"),
        (("train", "--data", "any", "--variant", "unett"), "unknown variant 'unett'"),
        (("train", "--data", "any", "--alpha", "0"), "alpha is 0"),
        (
            ("build", "--target", "all", "--variant", "unet", "--from", str(shipped("models", "light"))),
            "holds weights of 'alphax-0.125-half', and 'unet' was asked for",
        ),
    ],
    ids=["target", "variant", "variant-of-train", "alpha", "checkpoint-of-another-variant"],
)
def test_unknown_names_and_other_weights(
    arguments: tuple[str, ...], message: str, tmp_path: Path, refused: Callable[..., str]
) -> None:
    assert message in refused(*arguments, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


MODELS = {
    "corrupt": "tiny",
    "truncated": "tiny",
    "without-a-contract": "carries no contract",
    "newer-contract": "schema version 99",
    "a-changed-byte": "graph or weights are not those",
    "a-changed-contract": "the contract",
}


@pytest.fixture(params=[".onnx", ".tflite"])
def spoilt(
    request: pytest.FixtureRequest,
    tiny_onnx: Callable[..., Path],
    tiny_tflite: Callable[..., Path],
    tiny_contract: Contract,
) -> Callable[[str], Path]:
    """Give a function that writes a sealed model and then damages it in one way."""
    onnx = request.param == ".onnx"
    write = tiny_onnx if onnx else tiny_tflite
    contract = tiny_contract if onnx else replace(tiny_contract, layout="NHWC", target="tflite-fp32")

    def spoil(how: str) -> Path:
        if how == "without-a-contract":
            return write(contract=None)
        if how == "newer-contract":
            return write(contract=replace(contract, schema_version=99))
        path = write(contract=reserved_text(contract))
        text = contract_text(path)
        assert text is not None
        whole = seal(path.read_bytes(), text, contract)
        weight = whole.index(np.array([20.0], "<f4").tobytes())
        changed = {
            "corrupt": bytes(byte ^ 0x5A for byte in whole),
            "truncated": whole[: len(whole) // 2],
            "a-changed-byte": whole[:weight] + b"\x01" + whole[weight + 1 :],
            "a-changed-contract": whole.replace(b'"threshold":0.5', b'"threshold":0.4', 1),
        }
        assert changed[how] != whole
        path.write_bytes(changed[how])
        return path

    return spoil


BARE = ("without-a-contract", "inspect"), ("without-a-contract", "bench")
"""What is no fault: a file without a contract can be looked at and timed."""
COMMANDS = ("run", "evaluate", "verify", "doctor", "inspect", "bench")


@pytest.mark.parametrize(("how", "command"), sorted(set(itertools.product(MODELS, COMMANDS)) - set(BARE)))
def test_a_bad_model(
    how: str,
    command: str,
    spoilt: Callable[[str], Path],
    tiny_lgg: Path,
    tmp_path: Path,
    refused: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = spoilt(how)
    arguments: dict[str, tuple[object, ...]] = {
        "run": (model, tiny_lgg, "--out", tmp_path / "out"),
        "evaluate": (model, "--data", tiny_lgg),
        "verify": (model, "--reference", model, "--data", tiny_lgg),
        "doctor": (model,),
        "inspect": (model,),
        "bench": (model, "--runs", "1", "--warmup", "1"),
    }
    if command == "inspect" and how not in ("corrupt", "truncated"):
        with pytest.raises(SystemExit) as ended:  # the rest of the file is shown, and what is wrong is its last word
            cli.main(["inspect", str(model)])
        printed = capsys.readouterr()
        assert ended.value.code == 1
        assert "contract: damaged" in printed.out
        (line,) = printed.err.splitlines()
    else:
        line = refused(command, *arguments[command])
    assert re.search(MODELS[how], line)
    assert model.name in line


SYNTHETIC = Path(__file__).parents[1] / "synthetic" / "build.json"


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (lambda build: build["artifacts"][1].pop("evaluation"), r"\$\.artifacts\[1\]: missing key 'evaluation'"),
        (lambda build: build.pop("artifacts"), "missing key 'artifacts'"),
        (lambda build: build["artifacts"][1].update(size_bytes="many"), "expected int, found str"),
    ],
    ids=["cell", "rows", "type"],
)
@pytest.mark.parametrize("command", ["report", "compare", "check"])
def test_a_report_with_a_missing_cell(
    command: str, cut: Callable[[dict[str, object]], object], said: str, tmp_path: Path, refused: Callable[..., str]
) -> None:
    build = json.loads(SYNTHETIC.read_text())
    cut(build)
    folder, whole = tmp_path / "build", tmp_path / "whole"
    for place, content in ((folder, build), (whole, json.loads(SYNTHETIC.read_text()))):
        place.mkdir()
        (place / "build.json").write_text(json.dumps(content))
    arguments: dict[str, tuple[object, ...]] = {
        "report": (folder, "--html", tmp_path / "page.html", "--markdown", tmp_path / "report.md"),
        "compare": (whole, folder),
        "check": (folder, "--baseline", tmp_path / "new.json", "--update", "--reason", "a test"),
    }
    line = refused(command, *arguments[command])
    assert re.search(said, line)
    assert str(folder / "build.json") in line


def test_a_page_of_a_folder_whose_artifact_is_gone(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "build.json").write_text(SYNTHETIC.read_text())
    line = refused("report", tmp_path, "--html", tmp_path / "page.html")
    assert "tflite-int8.bin is missing" in line


def test_a_baseline_that_is_no_file_and_no_network(tmp_path: Path, refused: Callable[..., str]) -> None:
    said = refused(
        "build", "--variant", "micro", "--target", "onnx-int8", "--baseline", "lihgt", "--out", tmp_path / "b"
    )
    assert "unknown network 'lihgt'" in said
    assert "Did you mean 'light'" in said


@pytest.mark.parametrize("name", ["weights.safetensors", "choice.json"])
def test_trust_is_not_written_over_what_it_reads(
    name: str, tiny_checkpoint: Path, tiny_lgg: Path, refused: Callable[..., str]
) -> None:
    place = tiny_checkpoint.with_name(name)
    if name == "choice.json":
        place.write_text('{"threshold": 0.5}')
    told = refused("trust", tiny_checkpoint.parent, "--data", tiny_lgg, "--out", place)
    assert f"cannot write {place}: the file there is not what 'edgeseg trust' writes" in told


@pytest.mark.parametrize("arguments", [("--update", "--reason", "x"), ("--junit",), ("--summary",)])
def test_a_check_is_not_written_over_a_build(
    arguments: tuple[str, ...], tmp_path: Path, refused: Callable[..., str]
) -> None:
    build = tmp_path / "build" / "build.json"
    build.parent.mkdir()
    build.write_bytes(SYNTHETIC_BUILD.read_bytes())
    told = refused("check", build.parent, *arguments, *((build,) if len(arguments) == 1 else ()), "--baseline", build)
    assert f"cannot write {build}: the file there is not" in told
