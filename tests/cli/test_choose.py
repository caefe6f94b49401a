"""`edgeseg choose` on folds of untrained weights: what it prints, writes and refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg.artifacts import sha256_bytes
from edgeseg.cli import main as cli
from edgeseg.jsonio import from_json, to_json
from edgeseg.results import Choice, NetworkRecord


@pytest.fixture
def folds(write_folds: Callable[[int], Path]) -> Path:
    return write_folds(2)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["choose", *map(str, arguments)])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_the_table_fits_80_columns_and_json_is_what_was_written(
    folds: Path, tiny_lgg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    common = (folds, "--data", tiny_lgg, "--cache", tmp_path / "cache")
    code, table, _ = run(capsys, *common)
    assert code == 0
    assert max(len(line) for line in table.splitlines() if str(tmp_path) not in line) <= 80
    for told in ("each fold scored at what was chosen on the others", "n = 6 patients", "plain", "hflip", "to ship:"):
        assert told in " ".join(table.split())
    code, text, _ = run(capsys, *common, "--tta", "vflip", "--max-fp-share", 0, "--json")
    assert code == 0
    choice = from_json(Choice, text)
    assert choice == from_json(Choice, (folds / "choice.json").read_text())
    assert choice.max_fp_share == 0.0
    assert choice.steps[4].flips == "vflip"
    assert len(list(folds.glob("fold*/logits-*.npz"))) == 6


def test_bad_input_is_one_error_and_nothing_is_written(
    folds: Path, tiny_lgg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("--data", tiny_lgg, "--cache", tmp_path / "cache")
    for arguments, told in (
        ((tmp_path, *common), "holds neither folds"),
        ((folds, *common, "--tta", "left"), "test-time flips 'left' are unknown"),
        ((folds, *common, "--max-fp-share", 2), "max-fp-share is 2.0"),
        ((folds, "--data", tmp_path / "absent"), "absent"),
    ):
        code, out, err = run(capsys, *arguments)
        assert (code, out) == (2, "")
        assert err.startswith("error: ")
        assert told in err
    assert not (folds / "choice.json").exists()
    assert not list(folds.glob("fold*/logits-*"))


def test_of_a_network_by_name_choice_and_logits_go_beside_and_what_ships_stays(
    folds: Path,
    own_network: Callable[[str], Path],
    tiny_lgg: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = own_network("named")
    content = (folds / "fold0" / "weights.safetensors").read_bytes()
    (network / "weights.safetensors").write_bytes(content)
    record = from_json(NetworkRecord, (network / "network.json").read_bytes())
    (network / "network.json").write_text(to_json(replace(record, weights_sha256=sha256_bytes(content))))
    before = sorted(path.name for path in network.iterdir())
    monkeypatch.chdir(tmp_path)
    common = ("--data", tiny_lgg, "--cache", tmp_path / "cache")
    code, out, _ = run(capsys, "named", *common)
    assert code == 0
    assert "choices/named/choice.json" in out
    assert {path.name.partition("-")[0] for path in (tmp_path / "choices" / "named").iterdir()} == {
        "choice.json",
        "logits",
    }
    assert sorted(path.name for path in network.iterdir()) == before
    code, out, told = run(capsys, folds, *common, "--into", tmp_path / "elsewhere")
    assert (code, out) == (2, "")
    assert "is for one run, and there are 2 folds" in told
