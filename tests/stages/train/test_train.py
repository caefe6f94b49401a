"""Training: repeatable, resumable, and clear about what cannot work."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeseg.artifacts import sha256_file
from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import CheckpointError, OptionError, OutputError, SeenPatientError, SplitError, TrainingError
from edgeseg.results import TrainResult
from edgeseg.specs import TrainSpec, VariantSpec
from edgeseg.stages.ship.retrain import train_command
from edgeseg.stages.train.distribute import Team
from edgeseg.stages.train.loop import TrainLoop, TrainProgress
from edgeseg.stages.train.run_folder import History, read_history
from edgeseg.stages.train.train import train

SPEC = TrainSpec(
    variant=VariantSpec(name="alphax", alpha=0.0625, stem="half"), epochs=3, batch_size=4, crop_px=32, warmup_steps=2
)

pytestmark = pytest.mark.usefixtures("shallow")  # the subject is the loop; test_classes trains the whole U

QUICK_TO_COMPILE = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
"""What is asked of the process is which libraries it imports; most of its time went into optimising a network."""


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


def _train(cache: SliceCache, out: Path, *, spec: TrainSpec = SPEC, resume: bool = False) -> TrainResult:
    patients = cache.patients
    return train(cache, spec, out=out, train_patients=patients[:4], validation_patients=patients[4:], resume=resume)


def test_a_run_stopped_half_way_resumes_to_the_same_weights(cache: SliceCache, tmp_path: Path) -> None:
    whole = _train(cache, tmp_path / "whole")
    assert _train(cache, tmp_path / "whole", resume=True).images_per_second is None

    def stop(at: TrainProgress) -> None:
        if (at.epoch, at.step) == (2, 2):
            raise KeyboardInterrupt

    stopped = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        train(
            cache,
            SPEC,
            out=stopped,
            train_patients=cache.patients[:4],
            validation_patients=cache.patients[4:],
            progress=stop,
        )
    assert read_checkpoint(stopped).header.epoch == 1
    resumed = _train(cache, stopped, resume=True)
    assert resumed.sha256 == whole.sha256
    assert [r.loss for r in resumed.history] == [r.loss for r in whole.history]


def test_a_run_stopped_in_its_first_epoch_leaves_no_weights(cache: SliceCache, tmp_path: Path) -> None:
    def stop(_: TrainProgress) -> None:
        raise KeyboardInterrupt

    patients, out = cache.patients, tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(cache, SPEC, out=out, train_patients=patients[:4], validation_patients=patients[4:], progress=stop)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        read_checkpoint(out)
    assert len(_train(cache, out, resume=True).history) == SPEC.epochs


def test_what_a_run_leaves(cache: SliceCache, tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = _train(cache, out)
    assert result.history[-1].loss < result.history[0].loss
    assert result.history[-1].dice_mean is not None
    assert result.images_per_second is not None
    assert result.images_per_second > 0
    header = read_checkpoint(out).header
    assert (header.kind, header.epoch, header.train) == ("weights", 3, SPEC)
    assert header.train_patients == cache.patients[:4]
    assert header.validation_patients == cache.patients[4:]
    with (out / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    assert rows[0]["dice_mean"] == ""
    assert list((out / "tensorboard").glob("events.out.tfevents.*"))


def test_the_shipped_weights_are_the_moving_average(cache: SliceCache, tmp_path: Path) -> None:
    from edgeseg.stages.train.run_folder import STATE

    _train(cache, tmp_path / "ema")
    averaged, raw = read_checkpoint(tmp_path / "ema"), read_checkpoint(tmp_path / "ema" / STATE)
    assert not np.array_equal(averaged.arrays["head/kernel"], raw.arrays["model/head/kernel"])
    _train(cache, tmp_path / "plain", spec=replace(SPEC, ema=0.0, epochs=1))
    plain, state = read_checkpoint(tmp_path / "plain"), read_checkpoint(tmp_path / "plain" / STATE)
    np.testing.assert_array_equal(plain.arrays["head/kernel"], state.arrays["model/head/kernel"])


def test_a_network_that_finds_nothing_says_so_and_why(cache: SliceCache, tmp_path: Path) -> None:
    result = _train(cache, tmp_path / "run", spec=replace(SPEC, epochs=1, learning_rate=1e-9))
    assert result.history[-1].dice_mean == 0.0
    (remark,) = result.remarks
    assert re.search("^the validation Dice is 0: after 2 steps the network (calls no pixel of the 2|draws)", remark)


def test_half_the_precision_learns_about_the_same_into_float32_weights(cache: SliceCache, tmp_path: Path) -> None:
    whole = _train(cache, tmp_path / "whole")
    half = _train(cache, tmp_path / "half", spec=replace(SPEC, precision="bfloat16"))
    assert [r.loss for r in half.history] == pytest.approx([r.loss for r in whole.history], rel=0.02)
    made, exact = read_checkpoint(tmp_path / "half"), read_checkpoint(tmp_path / "whole")
    assert any(not np.array_equal(made.arrays[name], exact.arrays[name]) for name in exact.arrays)
    assert made.header.train.precision == "bfloat16"
    assert {str(array.dtype) for array in made.arrays.values()} == {"float32"}
    with pytest.raises(CheckpointError, match="precision was 'bfloat16' and is now 'float32'"):
        _train(cache, tmp_path / "half", resume=True)
    with pytest.raises(OptionError, match="precision is 'float16'; choose one of: bfloat16, float32"):
        replace(SPEC, precision="float16")


def test_an_earlier_run_is_never_written_over(cache: SliceCache, tmp_path: Path) -> None:
    out = tmp_path / "run"
    _train(cache, out, spec=replace(SPEC, epochs=1))
    with pytest.raises(OutputError, match="--resume"):
        _train(cache, out)
    with pytest.raises(CheckpointError, match=r"epochs was 1 and is now 2; learning_rate was 0\.002 and is now 0\.5"):
        _train(cache, out, spec=replace(SPEC, epochs=2, learning_rate=0.5), resume=True)


def test_a_finished_run_needs_no_state_to_be_found_finished(cache: SliceCache, tmp_path: Path) -> None:
    from edgeseg.stages.train.run_folder import STATE

    spec, out = replace(SPEC, epochs=1), tmp_path / "run"
    first = _train(cache, out, spec=spec)
    (out / STATE).unlink()
    again = _train(cache, out, spec=spec, resume=True)
    assert (again.sha256, again.history, again.steps) == (first.sha256, first.history, first.steps)
    assert again.images_per_second is None
    with pytest.raises(CheckpointError, match="seed was 0 and is now 1"):
        _train(cache, out, spec=replace(spec, seed=1), resume=True)
    with pytest.raises(OutputError, match="already holds a run; go on with --resume"):
        _train(cache, out, spec=spec)


def test_a_run_whose_last_save_was_cut_short_is_not_finished(cache: SliceCache, tmp_path: Path) -> None:
    from edgeseg.stages.train.run_folder import HISTORY, STATE

    spec, out, early = replace(SPEC, epochs=2), tmp_path / "run", {}

    def keep(at: TrainProgress) -> None:
        if (at.epoch, at.step) == (2, 1):
            early.update({name: (out / name).read_bytes() for name in (STATE, HISTORY)})

    patients = cache.patients
    whole = train(
        cache, spec, out=out, train_patients=patients[:4], validation_patients=patients[4:], progress=keep
    )  # fmt: skip
    for name, content in early.items():
        (out / name).write_bytes(content)
    again = _train(cache, out, spec=spec, resume=True)
    assert again.sha256 == whole.sha256
    assert [r.loss for r in again.history] == [r.loss for r in whole.history]
    assert again.images_per_second is not None


def test_averaged_weights_are_no_finished_training(cache: SliceCache, tmp_path: Path) -> None:
    from edgeseg.stages.train.average import average

    spec = replace(SPEC, epochs=1)
    _train(cache, tmp_path / "run", spec=spec)
    average([tmp_path / "run", tmp_path / "run"], out=tmp_path / "mean")
    with pytest.raises(CheckpointError, match="compressed or averaged weights, which no training goes on with"):
        _train(cache, tmp_path / "mean", spec=spec, resume=True)


def _loop(tmp_path: Path, heard: list[TrainProgress]) -> TrainLoop:
    """A loop of epochs of three steps, whose batches have names."""
    sampler = SimpleNamespace(spec=SPEC, steps_per_epoch=3, names=lambda epoch, step: [f"slice {epoch}/{step}"])
    parts: Any = (None, sampler, None, None, None, None, History(), tmp_path, 5, heard.append, Team())
    loop = TrainLoop(*parts)
    loop.begin(2)
    return loop


def test_every_step_is_told_once_the_last_one_at_the_end_of_its_epoch(tmp_path: Path) -> None:
    heard: list[TrainProgress] = []
    loop = _loop(tmp_path, heard)
    for step, loss in enumerate((0.5, 0.4, 0.3)):
        loop.step(step, loss)
    assert [(at.step, at.loss) for at in heard] == [(1, 0.5), (2, 0.4)]
    loop.look()
    assert [(at.step, at.loss) for at in heard] == [(1, 0.5), (2, 0.4), (3, 0.3)]
    loop.look()
    assert len(heard) == 3
    loop.close()


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_loss_that_is_no_number_names_its_own_step(tmp_path: Path, bad: int) -> None:
    loop = _loop(tmp_path, [])

    def run() -> None:
        for step in range(3):
            loop.step(step, float("nan") if step >= bad else 0.5)
        loop.look()

    with pytest.raises(TrainingError, match=rf"became nan in epoch 2, step {bad + 1}; the batch held: slice 2/{bad};"):
        run()
    loop.close()


def test_crops_are_made_on_the_device_of_jax_only(cache: SliceCache, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"1 of tensorflow; leave out --augment-on, or give --backend jax"):
        _train(cache, tmp_path / "run", spec=replace(SPEC, augment_on="device"))
    assert not (tmp_path / "run").exists()
    with pytest.raises(OptionError, match="augment_on is 'gpu'; choose one of: host, device"):
        replace(SPEC, augment_on="gpu")
    with pytest.raises(OptionError, match="blank_share is -1; it must lie in"):
        replace(SPEC, blank_share=-1)
    with pytest.raises(OptionError, match="paste_share is 2; it must lie in"):
        replace(SPEC, paste_share=2)


def test_resuming_nothing_is_refused(cache: SliceCache, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no training run to go on with"):
        _train(cache, tmp_path / "none", resume=True)


def test_a_loss_that_is_no_number_names_the_slices(cache: SliceCache, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"the loss became (nan|inf) in epoch \d, step \d+; the batch held: TCGA_"):
        _train(cache, tmp_path / "nan", spec=replace(SPEC, learning_rate=1e30, schedule="fixed", epochs=2))


@pytest.mark.parametrize(
    ("training", "validation", "message"),
    [((0, 1), (1, 2), "1 patients stand on both sides"), ((), (1,), "training side"), ((0,), (), "validation side")],
)
def test_a_split_that_leaks_or_is_empty_is_refused(
    cache: SliceCache, tmp_path: Path, training: tuple[int, ...], validation: tuple[int, ...], message: str
) -> None:
    names = cache.patients
    with pytest.raises(SplitError, match=message):
        train(
            cache,
            SPEC,
            out=tmp_path / "run",
            train_patients=tuple(names[i] for i in training),
            validation_patients=tuple(names[i] for i in validation),
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("place", ["host", "device"])
def test_training_on_jax_never_imports_tensorflow(tiny_lgg: Path, tmp_path: Path, place: str) -> None:
    code = (
        "import sys\n"
        "from edgeseg.cli.main import main\n"
        "from tests import _shallow\n"
        "try:\n"
        "    with _shallow.everywhere(): main(sys.argv[1:])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "assert 'jax' in sys.modules and 'tensorflow' not in sys.modules\n"
    )
    options = ["--variant", "alphax", "--alpha", "0.0625", "--epochs", "1", "--batch-size", "4", "--crop-px", "32"]
    words = ["--steps-per-epoch", "2", "--augment-on", place]
    places = ["--data", str(tiny_lgg), "--out", str(tmp_path / "run"), "--cache", str(tmp_path / "cache")]
    done = subprocess.run(
        [sys.executable, "-c", code, "train", *options, *places, "--backend", "jax", *words],
        env=os.environ | {"XLA_FLAGS": QUICK_TO_COMPILE},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "validation Dice per patient" in done.stdout
    header = read_checkpoint(tmp_path / "run").header
    assert (header.backend, header.train.augment_on) == ("jax", place)
    assert f"--augment-on {place}" in train_command(header)


def _start(cache: SliceCache, out: Path, spec: TrainSpec, initial: Path | None, learned: slice) -> TrainResult:
    checkpoint = None if initial is None else read_checkpoint(initial)
    named = None if checkpoint is None else sha256_file(checkpoint.path)
    patients = cache.patients[learned]
    return train(
        cache,
        replace(spec, initial=named),
        out=out,
        train_patients=patients,
        validation_patients=cache.patients[4:5],
        initial=checkpoint,
    )


def test_a_run_starts_from_given_weights_and_remembers_which(cache: SliceCache, tmp_path: Path) -> None:
    first, spec = tmp_path / "first", replace(SPEC, learning_rate=1e-9, weight_decay=0.0, epochs=1)
    _start(cache, first, SPEC, None, slice(0, 4))
    again = _start(cache, tmp_path / "again", spec, first, slice(0, 4))
    old, new = read_checkpoint(first), read_checkpoint(tmp_path / "again")
    for name in (name for name in old.arrays if name.endswith("kernel")):
        np.testing.assert_allclose(new.arrays[name], old.arrays[name], atol=1e-5)
    assert new.header.train.initial == sha256_file(old.path)
    with pytest.raises(CheckpointError, match="not those that the training names"):
        train(
            cache, new.header.train, out=tmp_path / "x", train_patients=("a",), validation_patients=("b",)
        )  # fmt: skip
    assert again.history[0].loss < read_history(first).epochs[0].loss


def test_weights_that_learned_from_others_are_no_place_to_start(cache: SliceCache, tmp_path: Path) -> None:
    _start(cache, tmp_path / "first", SPEC, None, slice(0, 4))
    with pytest.raises(SeenPatientError, match=r"learned from 1 patient\(s\) that this training leaves out"):
        _start(cache, tmp_path / "fewer", SPEC, tmp_path / "first", slice(0, 3))
    leak = replace(SPEC, initial=sha256_file(read_checkpoint(tmp_path / "first").path))
    with pytest.raises(SeenPatientError, match=r"learned from 1 validation patient"):
        train(
            cache,
            leak,
            out=tmp_path / "leak",
            train_patients=cache.patients[1:4],
            validation_patients=cache.patients[:1],
            initial=read_checkpoint(tmp_path / "first"),
        )
    other = replace(SPEC, variant=VariantSpec(name="unet", alpha=0.0625, stem="half"))
    with pytest.raises(CheckpointError, match=r"holds weights of 'alphax-0\.0625-half'"):
        _start(cache, tmp_path / "other", other, tmp_path / "first", slice(0, 4))
    assert not (tmp_path / "other").exists()


def test_a_header_holds_what_it_started_from(cache: SliceCache, tmp_path: Path) -> None:
    _start(cache, tmp_path / "first", replace(SPEC, epochs=1), None, slice(0, 4))
    _start(cache, tmp_path / "second", replace(SPEC, epochs=1, augment="flips"), tmp_path / "first", slice(0, 4))
    header = read_checkpoint(tmp_path / "second").header
    assert header.initial == read_checkpoint(tmp_path / "first").header
    commands = train_command(header).split(" && ")
    assert [("--augment rich" in c, "--from runs/1" in c, "--out runs/2" in c) for c in commands] == [
        (True, False, False),
        (False, True, True),
    ]
