"""`benchmarks/folds.py`: the tables of what compression does to every patient."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
BUILDS = tuple(BENCHMARKS / f"folds-{name}.json" for name in ("distilled", "pruned"))
TRAININGS = tuple(BENCHMARKS / f"out-of-fold{name}.json" for name in ("", "-light", "-distilled"))


@pytest.fixture
def folds(script: Callable[[Path], ModuleType]) -> ModuleType:
    return script(BENCHMARKS / "folds.py")


def run(module: ModuleType, monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["folds.py", *map(str, words)])
    module.main()


def test_the_page_holds_what_the_command_prints(
    folds: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(folds, monkeypatch, *BUILDS, "--trainings", *TRAININGS)
    printed = capsys.readouterr().out
    assert printed.strip() in (ROOT / "docs" / "measured" / "compression.md").read_text()
    assert sum(line.startswith("| folds-") for line in printed.splitlines()) == 9
    assert sum(line.startswith("| out-of-fold") for line in printed.splitlines()) == 3


def test_a_build_against_itself_moves_nobody(
    folds: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    same = tmp_path / "same.json"
    same.write_bytes(BUILDS[0].read_bytes())
    run(folds, monkeypatch, BUILDS[0], same)
    moves = [line for line in capsys.readouterr().out.splitlines() if "| same `" in line]
    assert len(moves) == 3
    assert all(line.endswith("| 88 | 0 | 0 | +0.0000 |") for line in moves)


def test_a_damaged_file_is_one_line(folds: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "half.json").write_bytes(BUILDS[0].read_bytes()[:1000])
    with pytest.raises(SystemExit, match=r"half\.json is damaged"):
        run(folds, monkeypatch, tmp_path / "half.json")
    with pytest.raises(SystemExit, match=r"cannot read .*half\.json"):
        run(folds, monkeypatch, BUILDS[0], "--trainings", tmp_path / "half.json")
