"""What a build says of what lies beside the weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgeseg.artifacts import sha256_file
from edgeseg.cli._beside import tell_beside
from edgeseg.specs import Contract, OperatingPoint


@pytest.fixture
def folds(write_folds: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folds, with trust at probability 0.5 that is for the second of them."""
    folds = write_folds(2)
    second = sha256_file(folds / "fold1" / "weights.safetensors")

    def left_out(_run: Path, contract: Contract, *, weights_sha256: str) -> str | None:
        return None if contract.threshold == 0.5 else "why"

    def for_it(_run: Path, *, weights_sha256: str) -> object:
        return object() if weights_sha256 == second else None

    monkeypatch.setattr("edgeseg.stages.trust.trust_file", lambda run: run.parent / "trust.json")
    monkeypatch.setattr("edgeseg.stages.trust.trust_for", for_it)
    monkeypatch.setattr("edgeseg.stages.trust.left_out", left_out)
    return folds


def test_of_folds_it_says_which_one_trust_is_for(folds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell_beside([folds], choice=None)
    told = "trust.json, which is for fold1; files of other folds tell nothing"
    assert told in " ".join(capsys.readouterr().err.split())
    tell_beside([folds / "fold0"], choice=None)
    assert capsys.readouterr().err == ""
    tell_beside([folds / "fold1"], choice=None)
    assert "as found in" in capsys.readouterr().err


@pytest.mark.parametrize("beside", [True, False])
def test_of_a_choice_of_another_point_it_says_that_trust_is_left_out(
    folds: Path, beside: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, point = folds / "choice.json" if beside else tmp_path / "other.json", OperatingPoint(threshold=0.4)
    file.write_text("{}")
    monkeypatch.setattr("edgeseg.stages.choose.read_choice", lambda _path, variant: SimpleNamespace(chosen=point))
    tell_beside([folds], choice=None if beside else file)
    assert "the artifacts do not say how far masks are to be trusted: why" in capsys.readouterr().err
