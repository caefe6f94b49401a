"""Compression of networks that draw several masks: each class is trained on and scored by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.cli._terminal import console
from edgeseg.data.cache import SliceCache
from edgeseg.errors import DatasetError, OptionError
from edgeseg.losses import make_loss, region_channels
from edgeseg.reports.compression import sizes_table
from edgeseg.specs import (
    Chain,
    ChannelPrune,
    Contract,
    Distil,
    Prune,
    Qat,
    VariantSpec,
)
from edgeseg.specs.region import MaskRegion
from edgeseg.stages.adopt import adopt
from edgeseg.stages.calibrate import ranges_beside
from edgeseg.stages.compress import compress, compress_folds
from edgeseg.stages.folds import FoldRun
from edgeseg.stages.predict import checkpoint_predictor
from tests._classes import CLASSES, SIDE, discs, several_masks
from tests.foreign._keras_networks import draw, saved

SHORT: dict[str, Any] = {"epochs": 1, "steps_per_epoch": 1}
TWO = SHORT | {"steps_per_epoch": 2}
"""The first step of a training begins at a learning rate of 0."""
PRUNE = ChannelPrune(macs=0.8, multiple=1, batches=1, distil_weight=0.5, **SHORT)
STUDENT = Distil(alpha=0.03125, **SHORT)
CONTRACT = """
{shares}
[[regions]]
name = "whole"
channels = [1, 2]
label = 1
[[regions]]
name = "core"
channels = 2
label = 2
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> SliceCache:
    return discs(tmp_path_factory.mktemp("discs"))


@pytest.fixture
def parent(tmp_path: Path) -> Checkpoint:
    return several_masks(tmp_path)


def _foreign(head: str, folder: Path) -> Checkpoint:
    """Somebody's network of three channels, of which two regions are made."""
    image = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.ReLU()(keras.layers.Conv2D(4, 3, padding="same", name="inner")(image))
    x = keras.layers.ReLU()(keras.layers.Conv2D(4, 3, padding="same")(x))
    model = keras.Model(image, keras.layers.Conv2D(3, 1, activation=head)(x))
    draw(model)
    told = folder / "contract.toml"
    told.write_text(CONTRACT.format(shares='channels = ["pre", "flair", "post"]'))
    adopt(saved(model, folder / "theirs.keras"), folder / "theirs", contract=told)
    return read_checkpoint(folder / "theirs")


@pytest.mark.usefixtures("untraced", "shallow")
def test_each_class_is_scored_before_and_after(parent: Checkpoint, cache: SliceCache, tmp_path: Path) -> None:
    result = compress(parent, Chain(steps=(PRUNE, STUDENT)), cache, out=tmp_path / "out")
    cut, taught = (step.size for step in result.steps)
    assert cut.macs <= 0.8 * result.given.macs
    assert taught.parameters < cut.parameters
    for size in (result.given, cut, taught):
        assert [one.name for one in size.classes] == list(CLASSES)
        assert size.dice_mean == pytest.approx(np.mean([one.dice_mean for one in size.classes]))
    made = read_checkpoint(tmp_path / "out")
    assert made.header.image.classes == CLASSES
    assert checkpoint_predictor(made).contract.regions == checkpoint_predictor(parent).contract.regions
    shown = console()
    with shown.capture() as said:
        shown.print(sizes_table("step", [("given", result.given)]))
    assert [line.split()[0] for line in said.get().splitlines()[-2:]] == list(CLASSES)


def test_tfmot_trains_every_class_by_itself_and_by_a_teacher(
    parent: Checkpoint, cache: SliceCache, tmp_path: Path
) -> None:
    compress(parent, Chain(steps=(Prune(sparsity=0.5, distil_weight=0.5, **TWO),)), cache, out=tmp_path / "out")
    made = read_checkpoint(tmp_path / "out")
    moved = np.abs(made.arrays["head/kernel"] - parent.arrays["head/kernel"]).reshape(-1, len(CLASSES)).max(axis=0)
    assert (moved > 0).all(), "the logits of a class did not learn"


@pytest.mark.usefixtures("untraced", "shallow")
def test_classes_are_summed_up_over_folds(parent: Checkpoint, cache: SliceCache, tmp_path: Path) -> None:
    runs = [
        FoldRun(
            folder=tmp_path / f"fold{number}",
            checkpoint=replace(parent, header=replace(parent.header, train_patients=rest, validation_patients=(held,))),
            sha256="",
        )
        for number, (held, rest) in enumerate((("p3", ("p1", "p2")), ("p1", ("p2", "p3"))))
    ]
    found = compress_folds(runs, Chain(steps=(STUDENT,)), cache, out=tmp_path / "out")
    assert [one.name for one in found.classes] == list(CLASSES)
    assert found.dice_mean_after == pytest.approx(np.mean([one.dice_mean_after for one in found.classes]))


def test_a_foreign_network_whose_masks_share_a_softmax_loses_channels(cache: SliceCache, tmp_path: Path) -> None:
    prune = ChannelPrune(macs=0.7, multiple=1, batches=1, criterion="taylor", **SHORT)
    result = compress(_foreign("softmax", tmp_path), Chain(steps=(prune,)), cache, out=tmp_path / "out")
    assert result.steps[0].size.macs <= 0.7 * result.given.macs
    contract = checkpoint_predictor(read_checkpoint(tmp_path / "out")).contract
    assert contract.exclusive
    assert [region.name for region in contract.regions] == [one.name for one in result.given.classes] == list(CLASSES)


def test_a_foreign_network_whose_masks_overlap_is_trained_for_int8(cache: SliceCache, tmp_path: Path) -> None:
    given = _foreign("sigmoid", tmp_path)
    compress(given, Chain(steps=(Qat(**TWO),)), cache, out=tmp_path / "out")
    made = read_checkpoint(tmp_path / "out")
    assert ranges_beside(made.path) is not None
    assert any(not np.array_equal(made.arrays[name], given.arrays[name]) for name in made.arrays)


def test_the_logit_of_a_region_is_that_of_its_probability() -> None:
    contract = Contract(
        variant=VariantSpec(), tier="custom", target="keras-fp32", layout="NHWC", trained_on="none", height=4, width=4,
        classes=("back", "oedema", "core"), exclusive=True,
        regions=(MaskRegion(name="whole", channels=(1, 2), label=1), MaskRegion(name="core", channels=(2,), label=2)),
    )  # fmt: skip
    logits = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    found = 1 / (1 + np.exp(-np.asarray(region_channels(keras.ops, logits, contract))))
    np.testing.assert_allclose(found[..., 0], shares[..., 1:].sum(axis=-1), rtol=1e-5)
    np.testing.assert_allclose(found[..., 1], shares[..., 2], rtol=1e-5)
    alone = replace(contract, exclusive=False)
    np.testing.assert_array_equal(
        np.asarray(region_channels(keras.ops, logits, alone))[..., 0], logits[..., 1:].max(axis=-1)
    )


@pytest.mark.parametrize("name", ["bce", "dice", "bce-dice", "focal-tversky"])
def test_aims_of_teachers_stand_behind_the_masks(name: str) -> None:
    rng = np.random.default_rng(0)
    masks, logits = rng.integers(0, 2, (2, 8, 8, 2)).astype(np.float32), rng.normal(size=(2, 8, 8, 2))
    loss, logits = make_loss(keras, name, 2), logits.astype(np.float32)
    same, other = (float(loss(np.concatenate([masks, aims], axis=-1), logits)) for aims in (masks, 1 - masks))
    assert same == pytest.approx(float(loss(masks, logits)))
    assert (other != pytest.approx(same)) == ("bce" in name)


def test_data_of_other_classes_or_channels_is_refused(parent: Checkpoint, cache: SliceCache, tmp_path: Path) -> None:
    other = replace(
        parent, header=replace(parent.header, image=replace(parent.header.image, classes=("core", "whole")))
    )
    with pytest.raises(DatasetError, match="draws core, whole, and discs has masks of whole, core"):
        compress(other, Chain(steps=(STUDENT,)), cache, out=tmp_path / "out")
    given = _foreign("sigmoid", tmp_path)
    record = given.header.foreign
    assert record is not None
    contract = replace(record.contract, channels=("t2", "flair", "post"))
    odd = replace(given, header=replace(given.header, foreign=replace(record, contract=contract)))
    with pytest.raises(OptionError, match="takes 't2', and the data has pre, flair, post"):
        compress(odd, Chain(steps=(PRUNE,)), cache, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
