"""What a build says of what lies beside the weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgeseg.cli._beside import tell_beside
from edgeseg.specs import OperatingPoint


def test_of_folds_and_a_choice_of_another_point_it_says_that_trust_is_left_out(
    write_folds: Callable[[int], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    point = OperatingPoint(threshold=0.4)
    monkeypatch.setattr("edgeseg.stages.trust.trust_beside", lambda run: run / "trust.json")
    monkeypatch.setattr("edgeseg.stages.trust.left_out", lambda _run, given: "why" if given == point else None)
    monkeypatch.setattr("edgeseg.stages.choose.read_choice", lambda _path, variant: SimpleNamespace(chosen=point))
    tell_beside([write_folds(2)], choice=tmp_path / "choice.json")
    assert "the artifacts do not say how far masks are to be trusted: why" in capsys.readouterr().err
