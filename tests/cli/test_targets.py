from __future__ import annotations

import pytest
from typer.testing import CliRunner

from edgeseg.cli._targets import named_targets
from edgeseg.cli.main import app
from edgeseg.errors import OptionError


def test_targets_are_given_again_or_with_commas() -> None:
    assert named_targets(["onnx-int8, onnx-fp32", "int8"]) == ("onnx-int8", "onnx-fp32", "int8")


@pytest.mark.parametrize("words", [[], ["--target", " , "]], ids=["none", "empty"])
def test_a_build_without_a_target_says_which_there_are(words: list[str]) -> None:
    done = CliRunner().invoke(app, ["build", *words])
    assert isinstance(done.exception, OptionError)
    assert "--target all; see 'edgeseg targets'" in str(done.exception)
