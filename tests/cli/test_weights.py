"""The name of a network in place of a run or its weights, on the command lines that take those."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeseg import networks
from edgeseg.cli.main import main
from edgeseg.jsonio import from_json
from edgeseg.results import NetworkList


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    printed = capsys.readouterr()
    return ended.value.code, printed.out, printed.err


COMMANDS = {
    "train-teacher": ("train", "--teacher", "{}", "--data", "absent"),
    "train-from": ("train", "--from", "{}", "--data", "absent"),
    "train-folds": ("train", "--folds", 2, "--from", "{}", "--data", "absent"),
    "average": ("average", "{}", "{}", "--out", "absent"),
    "compress": ("compress", "{}", "--prune", 0.5, "--data", "absent", "--out", "out"),
    "choose": ("choose", "{}", "--data", "absent"),
    "calibrate": ("calibrate", "--checkpoint", "{}", "--data", "absent"),
    "sensitivity": ("sensitivity", "{}", "--data", "absent"),
    "build": ("build", "--from", "{}", "--target", "onnx-int8", "--data", "absent"),
    "ship": ("ship", "{}", "--build", "absent"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_takes_a_run_takes_a_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, told = run(capsys, *(str(word).format("lihgt") for word in COMMANDS[name]))
    assert (code, out) == (2, "")
    assert told.startswith("error: no checkpoint at lihgt, and no network of that name")
    assert told.endswith("Did you mean 'light'?\n")
    code, _, told = run(capsys, *(str(word).format("light") for word in COMMANDS[name]))
    if name == "average":
        assert code == 0
        assert (tmp_path / "absent" / "weights.safetensors").is_file()
    else:
        assert code == 2
        assert "absent" in told
        assert "checkpoint" not in told
        assert not list(tmp_path.iterdir())


def test_one_without_weights_is_listed_and_what_needs_them_is_one_error(
    own_network: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own_network("family")
    (folder / networks.WEIGHTS_FILE).unlink()
    (folder / networks.CARD_FILE).write_text(json.dumps({"command": "edgeseg train --data DIR --variant unet"}))
    code, out, _ = run(capsys, "networks")
    assert code == 0
    assert "files alone: without weights to train, compress or build from" in " ".join(out.split())
    _, out, _ = run(capsys, "networks", "--json")
    listed = from_json(NetworkList, out)
    assert {row.network.name: row.weights for row in listed.networks}["family"] is False
    for words in (
        ("build", "--variant", "family", "--target", "onnx-int8", "--out", tmp_path / "build"),
        ("calibrate", "--network", "family", "--data", tmp_path),
        ("sensitivity", "family", "--data", tmp_path),
    ):
        code, out, told = run(capsys, *words)
        assert (code, out) == (2, "")
        assert "without the float weights that this needs; train it again: edgeseg train --data DIR --variant" in told
    assert not (tmp_path / "build").exists()


def test_what_is_not_installed_is_said_before_data_are_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert run(capsys, "train", "--data", "absent") == (
        2,
        "",
        "error: a Keras network needs 'keras', which is not installed; run: pip install 'edgeseg[build]'\n",
    )
