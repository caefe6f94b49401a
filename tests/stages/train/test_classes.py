"""Several classes from training to figures: one network, a logit for each class, masks that overlap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.components import post_process_logits
from edgeseg.data.cache import SliceCache
from edgeseg.errors import CheckpointError, MaskError, OptionError
from edgeseg.results import ClassScore
from edgeseg.runtime import Segmenter
from edgeseg.specs import PostProcessing, TrainSpec, VariantSpec
from edgeseg.stages.predict import checkpoint_predictor, network_of
from edgeseg.stages.score import evaluate, verify
from edgeseg.stages.train.train import train
from edgeseg.targets import TARGETS, ConvertJob, open_artifact
from tests._classes import CLASSES, SIDE, discs

SPEC = TrainSpec(
    variant=VariantSpec(name="unet", alpha=0.0625, stem="full"), epochs=1, steps_per_epoch=150, batch_size=4,
    crop_px=32, warmup_steps=2, augment="none", ema=0.5, learning_rate=1e-2,
)  # fmt: skip


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> SliceCache:
    return discs(tmp_path_factory.mktemp("discs"))


@pytest.fixture(scope="module")
def weights(cache: SliceCache, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    out = tmp_path_factory.mktemp("classes") / "run"
    train(cache, SPEC, out=out, train_patients=("p1", "p2"), validation_patients=("p3",))
    return read_checkpoint(out)


def _job(weights: Checkpoint) -> ConvertJob:
    return ConvertJob(model=network_of(weights), contract=checkpoint_predictor(weights).contract)


def test_a_trained_network_says_its_classes_and_finds_each(cache: SliceCache, weights: Checkpoint) -> None:
    opened = checkpoint_predictor(weights)
    assert weights.header.image.classes == CLASSES
    assert [(one.name, one.channels, one.label) for one in opened.contract.regions] == [
        ("whole", (0,), 1),
        ("core", (1,), 2),
    ]
    volume = cache.volume("p3")
    result = evaluate(opened, [volume], artifact="a", data="discs")
    assert [one.name for one in result.classes] == list(CLASSES)
    assert all(one.dice.mean > 0.5 for one in result.classes), "a class was not learned"
    score = result.patients[0]
    assert all(isinstance(one, ClassScore) for one in score.classes)
    assert score.dice == pytest.approx(np.mean([one.dice for one in score.classes]))
    assert score.lesions == sum(one.lesions for one in score.classes) == 2
    with pytest.raises(MaskError, match="draws whole, core, and the masks of p3 are of whole, rim"):
        evaluate(opened, [replace(volume, classes=("whole", "rim"))], artifact="a", data="discs")


@pytest.mark.parametrize("name", ["keras-fp32", "onnx-fp32", "onnx-dynamic", "tflite-fp32"])
def test_formats_give_the_masks_of_every_class(
    name: str, cache: SliceCache, weights: Checkpoint, tmp_path: Path
) -> None:
    job, target = _job(weights), TARGETS[name]
    path = tmp_path / f"{name}{target.suffix}"
    target.convert(job, path)
    opened = open_artifact(path, threads=1)
    assert opened.logits(cache.images[:2]).shape == (2, SIDE, SIDE, 2)
    if isinstance(opened, Segmenter) and opened.contract.golden is not None:
        assert opened.self_test().passed
    found = verify(opened, checkpoint_predictor(weights), [cache.volume("p3")], artifact=name, max_flip_ppm=3000)
    assert found.passed, found


def test_components_are_dropped_by_the_rule_of_each_class(
    cache: SliceCache, weights: Checkpoint, tmp_path: Path
) -> None:
    job, target = _job(weights), TARGETS["onnx-fp32"]
    whole, core = job.contract.regions
    strict = replace(core, post_processing=PostProcessing(min_volume_px=10_000), threshold=0.4)
    contract = replace(job.contract, regions=(whole, strict))
    target.convert(replace(job, contract=contract), tmp_path / "a.onnx")
    opened = Segmenter.load(tmp_path / "a.onnx", threads=1)
    images = cache.volume("p3").images
    masks, logits = opened.segment_volume(images), opened.logits(images)
    assert masks.shape == (4, SIDE, SIDE, 2)
    assert masks[..., 0].any()
    assert not masks[..., 1].any()
    assert np.array_equal(masks[..., 0], logits[..., 0] > 0)
    kept = post_process_logits(logits, opened.contract, volume=True)
    assert np.array_equal(masks[..., 1], kept[..., 1] > strict.logit_threshold)
    assert opened.segment(images)[..., 1].any(), "the rule for volumes is not that of slices"


@pytest.mark.parametrize(
    ("change", "said"),
    [({"paste_share": 0.5}, "--paste-share works on one mask"), ({"augment_on": "device"}, "--augment-on device")],
)
def test_what_works_on_one_mask_is_refused(
    change: dict[str, Any], said: str, cache: SliceCache, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=said):
        train(
            cache, replace(SPEC, **change), out=tmp_path / "run", train_patients=("p1",), validation_patients=("p3",)
        )
    assert not (tmp_path / "run").exists()


def test_weights_of_other_classes_are_no_start(weights: Checkpoint, cache: SliceCache, tmp_path: Path) -> None:
    header = replace(weights.header, image=replace(weights.header.image, classes=("whole", "rim")))
    other = replace(weights, header=header)
    with pytest.raises(CheckpointError, match="draws whole, rim, and the data's masks are of whole, core"):
        train(
            cache, SPEC, out=tmp_path / "run", train_patients=("p1",), validation_patients=("p3",), initial=other
        )
