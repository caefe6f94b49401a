"""Channel pruning of a network that somebody else trained, from its file to the files of a build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import CheckpointError, OptionError
from edgeseg.results import CompressResult
from edgeseg.specs import BuildSpec, Chain, ChannelPrune, Cluster, Intensity
from edgeseg.stages.adopt import adopt
from edgeseg.stages.build import build
from edgeseg.stages.compress import compress
from edgeseg.stages.compress.foreign import taken_over
from edgeseg.stages.predict import checkpoint_contract
from tests.foreign._keras_networks import draw, saved

PRUNE = ChannelPrune(macs=0.6, multiple=1, batches=1, epochs=1, steps_per_epoch=1)


def network() -> Any:
    """A network for slices of half the size, with a squeeze and excitation and a convolution in groups."""
    layers = keras.layers
    image = keras.Input((32, 32, 3))
    x = layers.LeakyReLU()(layers.Conv2D(6, 3, padding="same")(image))
    gate = layers.Dense(6, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Conv2D(4, 3, padding="same", name="before")(layers.Multiply()([x, gate]))
    x = layers.ReLU()(layers.Conv2D(4, 3, padding="same", groups=2, name="grouped")(x))
    model = keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid")(x))
    draw(model)
    return model


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("theirs")
    adopt(saved(network(), folder / "theirs.keras"), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, write_tiny_lgg: Callable[[Path], Path]) -> Path:
    return write_tiny_lgg(tmp_path_factory.mktemp("data") / "lgg")


@pytest.fixture(scope="module")
def cache(data: Path) -> SliceCache:
    return cached(KaggleLgg(data), "key", root=data.parent / "cache")


@pytest.fixture(scope="module")
def pruned(run: Path, cache: SliceCache, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CompressResult]:
    out = tmp_path_factory.mktemp("pruned") / "run"
    return out, compress(read_checkpoint(run), Chain(steps=(PRUNE,)), cache, out=out)


def test_a_foreign_network_loses_channels_and_stays_a_run(run: Path, pruned: tuple[Path, CompressResult]) -> None:
    out, result = pruned
    (step,) = result.steps
    assert step.size.macs <= 0.6 * result.given.macs
    assert step.size.variant.startswith("theirs-w")
    assert step.notes == ("'grouped' keeps its channels and those that it takes: a convolution in 2 groups",)
    header = read_checkpoint(out).header
    assert header.train_patients
    assert not set(header.train_patients) & set(header.validation_patients)
    assert checkpoint_contract(header).seen_patients
    assert (out / "source" / "theirs.keras").read_bytes() == (run / "source" / "theirs.keras").read_bytes()


def test_its_build_holds_files_against_the_smaller_network_and_compares_with_the_file(
    pruned: tuple[Path, CompressResult], data: Path, tmp_path: Path
) -> None:
    out, _ = pruned
    header = read_checkpoint(out).header
    spec = BuildSpec(
        variant=header.variant, checkpoint=out, data=data, targets=("tflite-fp32",), out=tmp_path,
        bench_runs=2, bench_budget_s=0.1,
    )  # fmt: skip
    result = build(spec)
    assert [row.status for row in result.artifacts] == ["ok", "ok"]
    assert result.artifacts[1].parity is not None
    assert result.baseline is not None
    assert result.baseline.variant == "theirs.keras"
    assert result.baseline.parameters == network().count_params() > result.artifacts[0].parameters
    scored = {p.patient for row in result.artifacts if row.evaluation for p in row.evaluation.patients}
    assert not scored & set(header.train_patients)


def test_what_cannot_be_done_to_a_foreign_network_is_refused(run: Path, cache: SliceCache) -> None:
    parent = read_checkpoint(run)
    with pytest.raises(CheckpointError, match=r"^'cluster' cannot be applied to theirs.keras, .* 'grouped' is a conv"):
        taken_over(parent, Chain(steps=(Cluster(),)), cache)
    record = parent.header.foreign
    assert record is not None
    onnx = replace(
        parent, header=replace(parent.header, foreign=replace(record, architecture="", kind="an ONNX graph"))
    )
    with pytest.raises(CheckpointError, match="channels are taken out of Keras networks alone"):
        taken_over(onnx, Chain(steps=(PRUNE,)), cache)
    contract = replace(record.contract, normalisation="z-score", intensity=Intensity())
    odd = replace(parent, header=replace(parent.header, foreign=replace(record, contract=contract)))
    with pytest.raises(OptionError, match="normalises by z-score"):
        taken_over(odd, Chain(steps=(PRUNE,)), cache)


def test_the_network_is_trained_behind_its_contract(run: Path) -> None:
    from edgeseg.foreign import fed
    from edgeseg.specs import ImageSpec
    from edgeseg.stages.train.trained import bare_network, trained_network

    parent = read_checkpoint(run)
    assert parent.header.foreign is not None
    contract = replace(parent.header.foreign.contract, channels=("post", "pre"), scale=2.0)
    images = np.random.default_rng(0).random((1, 32, 32, 3), dtype=np.float32)
    np.testing.assert_allclose(fed(keras, images, contract), images[..., [2, 0]] * 510.0, rtol=1e-6)
    outer = trained_network(keras, parent.header.variant, parent, ImageSpec(height=64, width=64))
    assert outer.output_shape == (None, 64, 64, 1)
    inner = bare_network(keras, parent.header.variant, parent, ImageSpec())
    assert sorted(w.path for w in outer.weights) == sorted(w.path for w in inner.weights)
