"""`edgeseg trust` on folds of untrained weights: what it prints, writes and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeseg.cli import main as cli
from edgeseg.jsonio import from_json
from edgeseg.results import TrustResult


@pytest.fixture
def folds(write_folds: Callable[[int], Path]) -> Path:
    return write_folds(3)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["trust", *map(str, arguments)])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_the_table_fits_80_columns_and_json_is_what_was_written(
    folds: Path, tiny_lgg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table:begin -->\nSTALE\n<!-- table:end -->\nafter\n")
    common = (folds, "--data", tiny_lgg, "--cache", tmp_path / "cache")
    code, table, err = run(capsys, *common, "--into", page)
    assert (code, err) == (0, "")
    assert max(len(line) for line in table.splitlines() if str(tmp_path) not in line) <= 80
    told = " ".join(table.split())
    for words in (
        "of 6 patients of kaggle-lgg",
        "Each fold is scored by numbers",
        "Does the network know?",
        "written: ",
    ):
        assert words in told
    assert "trust.json" in "".join(table.split())  # a long path is broken where the table ends
    text = page.read_text()
    assert text.startswith("before\n<!-- table:begin -->\n\nalphax-0.0625-half: of 6 patients")
    assert text.endswith("<!-- table:end -->\nafter\n")
    assert "STALE" not in text
    code, text, _ = run(capsys, *common, "--out", tmp_path / "elsewhere.json", "--json")
    assert code == 0
    found = from_json(TrustResult, text)
    assert found == from_json(TrustResult, (tmp_path / "elsewhere.json").read_text())
    assert found == from_json(TrustResult, (folds / "trust.json").read_text())
    assert (found.left_out, found.figures.patients, len(found.groups)) == ("fold", 6, 3)


def test_bad_input_is_one_error_and_nothing_is_written(
    folds: Path, tiny_lgg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("--data", tiny_lgg, "--cache", tmp_path / "cache")
    for arguments, told in (
        ((tmp_path, *common), "holds neither folds"),
        ((folds, "--data", tmp_path / "absent"), "absent"),
        ((folds, *common, "--choice", tmp_path / "absent.json"), "absent.json"),
        ((folds, *common, "--backend", "abacus"), "abacus"),
    ):
        code, out, err = run(capsys, *arguments)
        assert (code, out) == (2, "")
        assert err.startswith("error: ")
        assert told in err
    assert not list(tmp_path.rglob("trust.json"))
