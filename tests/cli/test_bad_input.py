"""Each kind of bad input through the command line: one `error:` line, exit code 2, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.artifacts import shipped
from edgeseg.cli import main as cli

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
    assert named in refused("run", tiny_onnx(), tiny_lgg, "--out", tmp_path / "out")


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
            ("build", "--target", "all", "--variant", "unet", "--from", str(shipped("models", "alphax-0.125-half"))),
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
