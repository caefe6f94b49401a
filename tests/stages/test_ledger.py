"""Taking over what an earlier build did."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgeseg import artifacts
from edgeseg.results import StageRecord
from edgeseg.stages.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    value: int


class _Stage:
    """A stage that counts how often it runs."""

    def __init__(self, out: Path) -> None:
        self.out, self.runs = out, 0

    def run(self, *, value: int = 1, rebuild: bool = False) -> tuple[_Found, StageRecord]:
        path = self.out / "a" / "model.bin"

        def make() -> _Found:
            self.runs += 1
            artifacts.write_bytes(path, b"content")
            return _Found(value=value)

        ledger = Ledger(self.out, rebuild=rebuild)
        found = ledger.run("convert x", _Found, make, inputs=(value, "text"), outputs=(path,))
        return found, ledger.records[0]


@pytest.fixture
def stage(tmp_path: Path) -> _Stage:
    return _Stage(tmp_path)


def test_an_unchanged_stage_runs_once(stage: _Stage) -> None:
    first, made = stage.run()
    again, reused = stage.run()
    assert first == again == _Found(value=1)
    assert (made.reused, reused.reused, stage.runs) == (False, True, 1)
    assert reused.outputs == {"a/model.bin": artifacts.sha256_bytes(b"content")}


def test_other_inputs_and_rebuild_run_it_again(stage: _Stage) -> None:
    stage.run()
    assert stage.run(value=2)[0] == _Found(value=2)
    stage.run(value=2, rebuild=True)
    assert stage.runs == 3


def test_other_source_runs_it_again(stage: _Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.run()
    monkeypatch.setattr(artifacts, "source_digest", lambda: "another version of the code")
    assert not stage.run()[1].reused


@pytest.mark.parametrize("damage", ["changed", "missing", "record"])
def test_what_was_touched_is_made_again(stage: _Stage, damage: str) -> None:
    stage.run()
    output, record = stage.out / "a" / "model.bin", next((stage.out / ".stages").iterdir())
    if damage == "changed":
        output.write_bytes(b"Content")
    elif damage == "missing":
        output.unlink()
    else:
        record.write_bytes(record.read_bytes()[:-20])
    found, made = stage.run()
    assert (found, made.reused, stage.runs) == (_Found(value=1), False, 2)
    assert output.read_bytes() == b"content"


def test_a_stage_that_is_killed_leaves_no_record(stage: _Stage) -> None:
    def killed() -> _Found:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Ledger(stage.out, rebuild=False).run("convert x", _Found, killed, inputs=(1, "text"))
    assert not stage.run()[1].reused


def test_work_done_before_a_stage_counts_into_its_time(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, rebuild=False)
    ledger.run("data", _Found, lambda: _Found(value=1), inputs=(), started=time.perf_counter() - 100.0)
    ledger.run("model", _Found, lambda: _Found(value=1), inputs=())
    data, model = ledger.records
    assert data.seconds >= 100.0 > model.seconds


def test_a_result_that_was_edited_is_not_taken_over(stage: _Stage) -> None:
    stage.run()
    (place,) = (stage.out / ".stages").iterdir()
    assert place.read_text().count("value") == 1
    place.write_text(place.read_text().replace('\\"value\\":1', '\\"value\\":7'))
    assert "7" in place.read_text()
    found, record = stage.run()
    assert (found, record.reused, stage.runs) == (_Found(value=1), False, 2)
