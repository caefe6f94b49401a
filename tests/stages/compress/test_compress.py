"""Compression: the result is smaller, a run like any other, and goes on where it was stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.artifacts import sha256_file
from edgeseg.backend import load_keras
from edgeseg.checkpoint import Checkpoint, read_checkpoint, weight_names, write_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import CheckpointError, DatasetError, OptionError, OutputError, SplitError
from edgeseg.jsonio import to_json
from edgeseg.results import CompressResult, EpochRecord
from edgeseg.specs import Chain, ChannelPrune, Cluster, Distil, Equalize, Half, Prune, Qat, RecipeSpec, VariantSpec
from edgeseg.stages.calibrate.learned import learned_ranges, ranges_beside
from edgeseg.stages.compress.compress import compress
from edgeseg.stages.predict.weights import checkpoint_contract, checkpoint_predictor
from edgeseg.stages.ship.retrain import train_command
from edgeseg.stages.train.loop import TrainProgress
from edgeseg.stages.train.run_folder import History, read_history
from edgeseg.variants import build_model

CUT = ChannelPrune(macs=0.6, multiple=2, batches=1, epochs=2, steps_per_epoch=1)


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


@pytest.fixture
def parent(tiny_checkpoint: Path) -> Checkpoint:
    found = read_checkpoint(tiny_checkpoint)
    header = replace(found.header, train=replace(found.header.train, crop_px=32, batch_size=4, precision="bfloat16"))
    return read_checkpoint(write_checkpoint(tiny_checkpoint, header, found.arrays))


@pytest.fixture
def plain(parent: Checkpoint) -> Checkpoint:
    """A U of one convolution a block: a worker, which is another process, builds it so too."""
    variant = replace(parent.header.variant, convolutions=(1,) * 5)
    load_keras().utils.set_random_seed(0)
    model = build_model(variant, parent.header.image)
    header = replace(parent.header, variant=variant, train=replace(parent.header.train, variant=variant))
    arrays = dict(zip(weight_names(model), model.get_weights(), strict=True))
    return read_checkpoint(write_checkpoint(parent.path, header, arrays))


def _compress(
    parent: Checkpoint, cache: SliceCache, out: Path, *steps: RecipeSpec, resume: bool = False
) -> tuple[CompressResult, Checkpoint]:
    result = compress(parent, Chain(steps=steps), cache, out=out, resume=resume)
    return result, read_checkpoint(out)


@pytest.mark.usefixtures("untraced", "shallow")
def test_channel_pruning_and_a_student_leave_smaller_runs(
    parent: Checkpoint, cache: SliceCache, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    student = Distil(alpha=0.03125, epochs=1, steps_per_epoch=1)
    result, made = _compress(parent, cache, out, CUT, student)
    cut, taught = (step.size for step in result.steps)
    assert cut.macs <= 0.6 * result.given.macs
    assert taught.macs < cut.macs
    assert cut.parameters < result.given.parameters
    assert cut.weights_bytes == 4 * cut.parameters
    assert made.header.variant == VariantSpec(name="alphax", alpha=0.03125, stem="half")
    assert made.header.train.precision == "bfloat16"
    first, second = made.header.chain
    assert (first.recipe, first.parent_sha256) == ("channel-prune", sha256_file(parent.path))
    assert (second.recipe, second.parent_sha256) == ("distil", result.steps[0].sha256)
    assert made.header.train_patients == parent.header.train_patients
    assert made.header.validation_patients == parent.header.validation_patients
    assert made.header.initial is not None
    assert made.header.initial.initial == parent.header
    assert len(read_history(out).epochs) == 1
    assert "edgeseg compress runs/1 --data DIR --channel-prune 0.6 --set" in train_command(made.header)
    pruned = read_checkpoint(out / "steps" / "1-channel-prune")
    assert checkpoint_predictor(pruned).contract.variant.widths == pruned.header.variant.widths != ()
    with pytest.raises(OutputError, match="already holds a run; go on with --resume"):
        _compress(parent, cache, out, CUT, student)


@pytest.mark.usefixtures("untraced", "shallow")
def test_a_chain_goes_on_where_it_was_stopped(parent: Checkpoint, cache: SliceCache, tmp_path: Path) -> None:
    def stop(at: TrainProgress) -> None:
        if at.epoch == 2:
            raise KeyboardInterrupt

    out, whole = tmp_path / "out", tmp_path / "whole"
    with pytest.raises(KeyboardInterrupt):
        compress(parent, Chain(steps=(CUT,)), cache, out=out, progress=stop)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        read_checkpoint(out)
    with pytest.raises(CheckpointError, match=r"macs was 0.6 and is now 0.7"):
        _compress(parent, cache, out, replace(CUT, macs=0.7), resume=True)
    resumed, _ = _compress(parent, cache, out, CUT, resume=True)
    undisturbed, _ = _compress(parent, cache, whole, CUT)
    assert resumed.steps[0].size == undisturbed.steps[0].size
    again, _ = _compress(parent, cache, out, CUT, resume=True)
    assert again.steps == resumed.steps


def test_pruned_weights_are_zeros_that_training_for_int8_keeps(
    plain: Checkpoint, cache: SliceCache, tmp_path: Path
) -> None:
    from edgeseg.targets import ConvertJob, get, open_artifact

    out = tmp_path / "out"
    steps = (Prune(sparsity=0.75, epochs=2, steps_per_epoch=2), Qat(epochs=1, steps_per_epoch=2))
    result, made = _compress(plain, cache, out, *steps)
    pruned, trained = (step.size for step in result.steps)
    for size in (pruned, trained):
        assert size.zero_share == pytest.approx(0.75, abs=0.02)
        assert size.gzip_bytes < 0.6 * result.given.gzip_bytes
        assert size.weights_bytes == result.given.weights_bytes
    assert (made.arrays["head/kernel"] != 0).all()
    recorded = ranges_beside(made.path)
    assert recorded is not None
    assert recorded.activations.method == "learned"
    model = build_model(made.header.variant, made.header.image)
    model.set_weights(list(made.arrays.values()))
    images = np.asarray(cache.volume(cache.patients[0]).images)
    wanted = checkpoint_predictor(made).logits(images)
    for target in ("tflite-int8", "onnx-int8"):
        contract = checkpoint_contract(made.header, target)
        path = tmp_path / f"a{get(target).suffix}"
        get(target).convert(ConvertJob(model=model, contract=contract, ranges=recorded.activations), path)
        given = open_artifact(path).logits(images)
        assert np.abs(given - wanted).mean() < 0.1 * np.ptp(wanted)


@pytest.mark.usefixtures("untraced", "shallow")
def test_weights_in_half_precision_take_half_the_room_and_keep_curve_and_ranges(
    parent: Checkpoint, cache: SliceCache, tmp_path: Path
) -> None:
    learned = learned_ranges(parent, {}, cache)
    parent.path.with_name("ranges.json").write_text(to_json(learned))
    curve = History(epochs=(EpochRecord(epoch=1, step=1, loss=0.5, seconds=1.0, dice_mean=None, dice_median=None),))
    parent.path.with_name("history.json").write_text(to_json(curve))
    result, made = _compress(parent, cache, tmp_path / "out", Half())
    kernels = {name: array for name, array in parent.arrays.items() if name.endswith("/kernel")}
    for name, array in made.arrays.items():
        assert array.dtype == np.float32
        wanted = parent.arrays[name]
        assert np.array_equal(array, wanted.astype(np.float16) if name in kernels else wanted)
    saved = 2 * sum(array.size for array in kernels.values())
    assert result.given.weights_bytes - result.steps[0].size.weights_bytes == saved
    assert made.path.stat().st_size < parent.path.stat().st_size - saved + 4096  # the header holds both trainings
    assert read_history(tmp_path / "out") == curve
    kept = ranges_beside(made.path)
    assert kept == replace(learned, weights_sha256=sha256_file(made.path))
    assert "--half" in train_command(made.header)
    again, _ = _compress(parent, cache, tmp_path / "out", Half(), resume=True)
    assert again.steps == result.steps
    assert not any("16 bits" in note for note in result.steps[0].notes)
    wide, _ = _compress(made, cache, tmp_path / "wide", Equalize(batches=1))
    assert any("those of 'equalize' take 32" in note for note in wide.steps[0].notes)


def test_weights_that_half_precision_cannot_hold_are_refused(
    parent: Checkpoint, cache: SliceCache, tmp_path: Path
) -> None:
    arrays = {name: np.full_like(a, 7e4) if name == "head/kernel" else a for name, a in parent.arrays.items()}
    large = read_checkpoint(write_checkpoint(parent.path, parent.header, arrays))
    with pytest.raises(OptionError, match=r"'head/kernel' holds 70000, and numbers of 16 bits end at 65504"):
        compress(large, Chain(steps=(Half(),)), cache, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_clustered_weights_have_few_values(plain: Checkpoint, cache: SliceCache, tmp_path: Path) -> None:
    step = Cluster(clusters=4, epochs=1, steps_per_epoch=1, distil_weight=0.5)
    result, made = _compress(plain, cache, tmp_path / "out", step)
    assert max(len(np.unique(a)) for n, a in made.arrays.items() if n.endswith("_conv/kernel")) == 4
    assert result.steps[0].size.gzip_bytes < 0.5 * result.given.gzip_bytes
    assert not (tmp_path / "out" / "ranges.json").exists()
    assert made.header.train.precision == "float32"


def test_what_cannot_be_compressed_is_refused(parent: Checkpoint, cache: SliceCache, tmp_path: Path) -> None:
    shared = replace(parent, header=replace(parent.header, variant=VariantSpec(name="r2unet", alpha=0.0625)))
    with pytest.raises(OptionError, match=r"'qat' cannot be applied to r2unet.*use channel-prune"):
        compress(shared, Chain(steps=(Qat(),)), cache, out=tmp_path / "a")
    other = replace(parent, header=replace(parent.header, train_patients=("nobody",)))
    with pytest.raises(SplitError, match=r"1 of the 4 patients.*nobody first"):
        compress(other, Chain(steps=(Qat(),)), cache, out=tmp_path / "b")
    grey = replace(parent, header=replace(parent.header, image=replace(parent.header.image, channels=("grey",))))
    with pytest.raises(DatasetError, match=r"takes the channels grey, and kaggle-lgg has pre, flair, post"):
        compress(grey, Chain(steps=(Qat(),)), cache, out=tmp_path / "b")
    with pytest.raises(CheckpointError, match="no compression to go on with"):
        compress(parent, Chain(steps=(Qat(),)), cache, out=tmp_path / "c", resume=True)
    assert not (tmp_path / "b").exists()
