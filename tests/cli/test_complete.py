from __future__ import annotations

import pytest
from typer.testing import CliRunner

from edgeseg.cli._complete import models, networks, targets, variants
from edgeseg.cli.main import app


def test_targets_are_completed_behind_the_last_comma() -> None:
    assert targets("tflite-int") == ["tflite-int8", "tflite-int16x8"]
    assert targets("onnx-fp32,ort") == ["onnx-fp32,ort-fp32", "onnx-fp32,ort-int8", "onnx-fp32,ort"]
    assert "int8" in targets("")
    assert "all" in targets("")


def test_variants_are_families_tiers_and_what_ships() -> None:
    assert variants("unet") == ["unet", "unet-bn"]
    assert "alphax-light" in variants("alphax")
    assert variants("li") == networks("li") == ["light"]
    assert networks("alphax") == []


def test_a_network_s_files_are_completed_behind_a_slash() -> None:
    assert "light" in models("li")
    assert models("light/onnx") == ["light/onnx-int8", "light/onnx-fp32"]
    assert models("nothing/on") == models("./li") == []


@pytest.mark.parametrize("command", ["run", "serve", "doctor", "inspect", "bench", "evaluate", "contract show"])
def test_a_shell_completes_the_network_of_a_command(command: str) -> None:
    words = f"edgeseg {command} ti"
    asked = {"_EDGESEG_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    assert CliRunner().invoke(app, prog_name="edgeseg", env=asked).stdout.split() == ["tiny"]
