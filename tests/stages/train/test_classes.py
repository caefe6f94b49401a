"""Several classes from training to figures: one network, a logit for each class, masks that overlap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.cli._terminal import console
from edgeseg.components import post_process_logits
from edgeseg.data.cache import SliceCache
from edgeseg.errors import CheckpointError, ContractError, MaskError, OptionError
from edgeseg.imaging import mask_from_logits, region_logits
from edgeseg.jsonio import from_json, to_json
from edgeseg.reports.inspection import inspection_tables
from edgeseg.results import ClassScore
from edgeseg.runtime import Segmenter
from edgeseg.specs import (
    BuildSpec,
    Contract,
    MaskRegion,
    PostProcessing,
    RunOptions,
    Scoring,
    TrainSpec,
    VariantSpec,
    refuse_regions,
)
from edgeseg.stages.build.inputs import open_inputs
from edgeseg.stages.calibrate.sensitivity import _answers
from edgeseg.stages.experiments.run import _score
from edgeseg.stages.inspect import inspect
from edgeseg.stages.predict import checkpoint_predictor, network_of
from edgeseg.stages.score import evaluate, verify
from edgeseg.stages.segment.run import run
from edgeseg.stages.train.train import train
from edgeseg.targets import TARGETS, ConvertJob, open_artifact
from tests._classes import CLASSES, SIDE, discs

SPEC = TrainSpec(
    variant=VariantSpec(name="unet", alpha=0.0625, stem="full"), epochs=1, steps_per_epoch=80, batch_size=4,
    crop_px=32, warmup_steps=2, augment="none", ema=0.0, learning_rate=1e-2,
)  # fmt: skip

_A = MaskRegion(name="a", channels=(0,), label=1)


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


@pytest.mark.parametrize("name", ["keras-fp32", "onnx-fp32", "tflite-fp32"])
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


def test_a_network_of_classes_is_built_on_data_of_its_classes_alone(weights: Checkpoint, tmp_path: Path) -> None:
    spec = BuildSpec(variant=SPEC.variant, targets=("onnx-fp32",), checkpoint=weights.path, out=tmp_path / "build")
    with pytest.raises(
        OptionError, match=r"draws 2 masks \(whole, core\), and phantoms have one to score on; give data"
    ):
        open_inputs(spec)


def test_a_file_tells_its_masks(weights: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    TARGETS["onnx-fp32"].convert(_job(weights), path)
    shown = console()
    with shown.capture() as said:
        shown.print(*inspection_tables(inspect(path)))
    assert "core, of core; threshold 0.5" in said.get()


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


def test_a_run_writes_labels_colours_and_figures_of_each_class(
    cache: SliceCache, weights: Checkpoint, tmp_path: Path
) -> None:
    model = tmp_path / "a.onnx"
    TARGETS["onnx-fp32"].convert(_job(weights), model)
    images = cache.volume("p3").images
    folder = tmp_path / "p3"
    folder.mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"p3_{index + 1}.png")
    result = run(model, [folder], out=tmp_path / "out", options=RunOptions(overlays=True))
    masks = Segmenter.load(model, threads=1).segment_volume(images)
    row = result.patients[0]
    assert [(one.name, one.label, one.pixels) for one in row.classes] == [
        ("whole", 1, masks[..., 0].sum()),
        ("core", 2, masks[..., 1].sum()),
    ]
    assert row.tumour_pixels == masks.any(axis=-1).sum()
    with Image.open(tmp_path / "out" / row.masks[0].mask) as picture:
        assert picture.mode == "P"
        assert np.array_equal(np.asarray(picture), np.where(masks[0, ..., 1], 2, masks[0, ..., 0]))
        assert (picture.getpalette() or [])[3:9] == [255, 60, 40, 60, 200, 80]


def test_layers_are_ranked_by_the_mean_of_the_classes(cache: SliceCache, weights: Checkpoint) -> None:
    predictor = checkpoint_predictor(weights)
    found = _answers(predictor, predictor.contract, [cache.volume("p3")])
    score = evaluate(predictor, [cache.volume("p3")], artifact="a", data="discs")
    assert found.dice_mean == pytest.approx(score.dice.mean)
    assert found.logits[0].shape == (4, SIDE, SIDE, 2)


def test_a_plan_scores_the_mean_of_the_classes(cache: SliceCache, weights: Checkpoint) -> None:
    found = _score(cache, "p3", checkpoint_predictor(weights), Scoring())
    whole = evaluate(checkpoint_predictor(weights), [cache.volume("p3")], artifact="a", data="discs")
    assert found.dice == pytest.approx(whole.dice.mean)
    assert found.tumour_free_slices == whole.patients[0].tumour_free_slices


def test_a_softmax_of_classes_gives_the_masks_of_its_regions() -> None:
    contract = Contract(
        variant=VariantSpec(), tier="custom", target="onnx-fp32", layout="NCHW", trained_on="none",
        height=8, width=8, output="softmax", classes=("back", "oedema", "core"),
        regions=(MaskRegion(name="whole", channels=(1, 2), label=1), MaskRegion(name="core", channels=(2,), label=2)),
    )  # fmt: skip
    assert from_json(Contract, to_json(contract)) == contract
    assert contract.versioned().schema_version == 3
    values = np.random.default_rng(0).normal(size=(3, 8, 8)).astype(np.float32)
    shares = np.exp(values) / np.exp(values).sum(axis=0)
    winner = shares.argmax(axis=0)
    masks = mask_from_logits(region_logits(shares, contract), contract)
    assert np.array_equal(masks, np.stack([winner > 0, winner == 2], axis=-1))
    plain = replace(contract, output="logits", exclusive=True)
    assert np.array_equal(mask_from_logits(region_logits(values, plain), plain), masks)
    with pytest.raises(
        ContractError, match=r"draws 2 masks \(whole, core\), and one of several masks cannot be served"
    ):
        refuse_regions(contract, "served")


@pytest.mark.parametrize(
    ("regions", "said"),
    [
        ((_A,), "give at least two"),
        (
            (_A, replace(_A, channels=(1,), label=2)),
            "a name and a label",
        ),
        (
            (_A, MaskRegion(name="b", channels=(2,), label=2)),
            "classes name 2",
        ),
    ],
    ids=["one", "twice", "outside"],
)
def test_regions_that_do_not_fit_are_refused(regions: tuple[MaskRegion, ...], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        Contract(
            variant=VariantSpec(), tier="custom", target="onnx-fp32", layout="NCHW", trained_on="none",
            classes=("x", "y"), regions=regions,
        )  # fmt: skip


def test_weights_of_other_classes_are_no_start(weights: Checkpoint, cache: SliceCache, tmp_path: Path) -> None:
    header = replace(weights.header, image=replace(weights.header.image, classes=("whole", "rim")))
    other = replace(weights, header=header)
    with pytest.raises(CheckpointError, match="draws whole, rim, and the data's masks are of whole, core"):
        train(cache, SPEC, out=tmp_path / "run", train_patients=("p1",), validation_patients=("p3",), initial=other)
