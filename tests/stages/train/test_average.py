"""Averaging: what belongs together, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.checkpoint import CheckpointHeader, read_checkpoint, write_checkpoint
from edgeseg.errors import CheckpointError, OptionError, OutputError
from edgeseg.jsonio import to_json
from edgeseg.results import EpochRecord
from edgeseg.specs import ImageSpec, TrainSpec, VariantSpec
from edgeseg.stages.compress.checks import check_place
from edgeseg.stages.ship.retrain import train_command
from edgeseg.stages.train.average import average
from edgeseg.stages.train.run_folder import HISTORY, History, read_history, refuse_overwrite

FIRST = CheckpointHeader(
    kind="weights",
    variant=VariantSpec(),
    image=ImageSpec(),
    train=TrainSpec(epochs=3),
    data="d",
    data_hash="h",
    train_patients=("A", "B"),
    validation_patients=("C",),
    epoch=3,
    backend="tensorflow",
    versions={},
)
SECOND = replace(FIRST, train=TrainSpec(epochs=1, augment="scanner"), epoch=1, initial=FIRST)


def _write(folder: Path, header: CheckpointHeader, value: float) -> Path:
    write_checkpoint(folder / "weights.safetensors", header, {"a/kernel": np.full((2, 2), value, np.float32)})
    record = EpochRecord(epoch=1, step=1, loss=value, seconds=1.0, dice_mean=0.5, dice_median=0.5)
    (folder / HISTORY).write_text(to_json(History(epochs=(record,))))
    return folder


def test_the_mean_of_a_run_and_of_what_started_from_it(tmp_path: Path) -> None:
    runs = [_write(tmp_path / "1", FIRST, 1.0), _write(tmp_path / "2", SECOND, 4.0)]
    average(runs, out=tmp_path / "3")
    made = read_checkpoint(tmp_path / "3")
    np.testing.assert_array_equal(made.arrays["a/kernel"], np.full((2, 2), 2.5, np.float32))
    assert made.header.parts == (FIRST, SECOND)
    assert made.header.train_patients == FIRST.train_patients
    assert read_history(tmp_path / "3").epochs[0].loss == 4.0
    commands = train_command(made.header).split(" && ")
    assert [c.split(" --")[0] for c in commands] == ["edgeseg train"] * 2 + ["edgeseg average runs/1 runs/2"]
    assert "--from runs/1" in commands[1]
    assert [c.endswith(f"--out runs/{n}") for n, c in enumerate(commands, start=1)] == [True] * 3
    with pytest.raises(OutputError, match="already holds a run; choose another --out"):
        average(runs, out=tmp_path / "3")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initial": None}, "began apart"),
        ({"train_patients": ("A",)}, "differ in train patients"),
        ({"data_hash": "x"}, "differ in data hash"),
        ({"variant": VariantSpec(name="unet")}, "holds weights of 'unet"),
        ({"kind": "state"}, "holds the state of a training run"),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    other = replace(SECOND, **changes)  # type: ignore[arg-type]
    runs = [_write(tmp_path / "1", FIRST, 1.0), _write(tmp_path / "2", other, 4.0)]
    with pytest.raises(CheckpointError, match=message):
        average(runs, out=tmp_path / "3")
    assert not (tmp_path / "3").exists()


def test_one_run_is_no_average_and_no_run_is_written_over(tmp_path: Path) -> None:
    run = _write(tmp_path / "1", FIRST, 1.0)
    with pytest.raises(OptionError, match="takes two or more"):
        average([run], out=tmp_path / "3")
    other = _write(tmp_path / "2", SECOND, 4.0)
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "state.safetensors").write_bytes(b"")
    with pytest.raises(OutputError, match="already holds a run; choose another --out"):
        average([run, other], out=tmp_path / "3")
    (tmp_path / "folds" / "fold0").mkdir(parents=True)
    (tmp_path / "3" / "state.safetensors").rename(tmp_path / "folds" / "fold0" / "state.safetensors")
    with pytest.raises(OutputError, match="folds holds the folds of a training"):
        average([run, other], out=tmp_path / "folds")
    with pytest.raises(OutputError, match="folds holds the folds of a training"):
        refuse_overwrite(tmp_path / "folds")
    with pytest.raises(OutputError, match="folds holds the folds of a training"):
        check_place(tmp_path / "folds", resume=False)
