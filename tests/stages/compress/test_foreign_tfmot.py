"""What TensorFlow Model Optimization does to a network that somebody else trained, and what it cannot do to one."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from edgeseg.checkpoint import read_checkpoint
from edgeseg.cli.main import app
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import CheckpointError
from edgeseg.recipes.wrapped import QUANTIZED, TRAINED, unwrapped
from edgeseg.runtime.contract import read_contract
from edgeseg.specs import Chain, ChannelPrune, Cluster, Distil, Qat
from edgeseg.stages.adopt import adopt
from edgeseg.stages.calibrate import ranges_beside
from edgeseg.stages.compress import compress
from edgeseg.stages.compress.foreign import taken_over
from edgeseg.stages.predict import checkpoint_contract, network_of
from edgeseg.targets import ConvertJob, explicit, get
from tests.foreign._keras_networks import SIDE, draw, images, saved, unet
from tests.foreign._onnx_networks import convolution

SHORT: dict[str, Any] = {"epochs": 1, "steps_per_epoch": 1}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, write_tiny_lgg: Callable[[Path], Path]) -> Path:
    return write_tiny_lgg(tmp_path_factory.mktemp("data") / "lgg")


@pytest.fixture(scope="module")
def cache(data: Path) -> SliceCache:
    return cached(KaggleLgg(data), "key", root=data.parent / "cache")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Convolutions with their activation inside and behind, batch normalisation, a skip, two classes."""
    folder = tmp_path_factory.mktemp("theirs")
    adopt(saved(unet(keras, head="softmax", channels=2), folder / "theirs.keras"), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with a product of two values, which is not quantized in training."""
    image = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(4, 3, padding="same")(image)
    x = keras.layers.Multiply(name="gate")([x, keras.layers.Conv2D(4, 3, padding="same", activation="sigmoid")(image)])
    model = keras.Model(image, keras.layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x))
    draw(model)
    folder = tmp_path_factory.mktemp("gate")
    adopt(saved(model, folder / "gate.keras"), folder / "run")
    return folder / "run"


def test_int8_ranges_and_weights_are_learned_for_a_foreign_network(
    run: Path, cache: SliceCache, tmp_path: Path
) -> None:
    out = tmp_path / "qat"
    compress(read_checkpoint(run), Chain(steps=(Qat(epochs=1, steps_per_epoch=2),)), cache, out=out)
    made = read_checkpoint(out)
    learned = ranges_beside(made.path)
    assert learned is not None
    assert learned.activations.method == "learned"
    network, contract = network_of(made), checkpoint_contract(made.header)
    job = ConvertJob(model=network, contract=contract, ranges=learned.activations)
    get("tflite-int8").convert(job, tmp_path / "learned.tflite")
    assert read_contract(tmp_path / "learned.tflite").target == "tflite-int8"
    before = read_checkpoint(run)
    moved = [name for name in made.arrays if not np.array_equal(made.arrays[name], before.arrays[name])]
    assert any(name.endswith("kernel") for name in moved)


def test_convolutions_between_others_are_clustered(gate: Path, cache: SliceCache, tmp_path: Path) -> None:
    compress(read_checkpoint(gate), Chain(steps=(Cluster(clusters=4, **SHORT),)), cache, out=tmp_path / "out")
    arrays = read_checkpoint(tmp_path / "out").arrays
    inner = [array for name, array in arrays.items() if name.endswith("/kernel") and not name.startswith("mask")]
    assert (len(inner), max(len(np.unique(kernel)) for kernel in inner)) == (2, 4)


def test_layers_that_cannot_be_trained_so_are_named_before_anything_is_written(
    gate: Path, cache: SliceCache, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=r"^'qat' cannot be applied to gate.keras, .* 'gate' is a Multiply; take"):
        compress(read_checkpoint(gate), Chain(steps=(Qat(**SHORT),)), cache, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_network_from_onnx_is_trained_as_the_keras_network_that_it_became(cache: SliceCache, tmp_path: Path) -> None:
    adopt(convolution(tmp_path / "net.onnx"), tmp_path / "run")
    given = read_checkpoint(tmp_path / "run")
    taken = taken_over(given, Chain(steps=(Qat(**SHORT),)), cache)
    assert taken.header.foreign is not None
    assert taken.header.foreign.architecture
    assert [name.partition("/")[2] for name in taken.arrays][:1] == ["kernel"]
    np.testing.assert_allclose(
        network_of(taken)(images()), network_of(given)(images()), rtol=1e-5, atol=1e-5
    )  # fmt: skip
    with pytest.raises(CheckpointError, match="channels are taken out of Keras networks alone"):
        taken_over(given, Chain(steps=(ChannelPrune(),)), cache)


def test_what_is_no_layer_of_tf_keras_is_known() -> None:
    image = keras.Input((8, 8, 4))
    norm = keras.layers.BatchNormalization(name="norm")(image)
    twice = keras.layers.Conv2D(4, 1, name="twice")
    x = keras.layers.Conv2D(4, 1, groups=2, name="groups")(twice(twice(norm)))
    x = keras.layers.Activation("mish", name="mish")(keras.layers.RMSNormalization(name="rms")(x))
    found = unwrapped(keras.Model(image, x), quantized=True)
    assert sorted(found) == ["groups", "mish", "norm", "rms", "twice"]
    assert found["twice"] == "a Conv2D that is used 2 times"
    assert not unwrapped(explicit(unet(keras)), quantized=True)
    assert QUANTIZED < TRAINED


def test_the_command_that_lets_it_teach_runs(run: Path, cache: SliceCache, data: Path, tmp_path: Path) -> None:
    student = Distil(alpha=0.0625, variant="unet", stem="half")
    with pytest.raises(CheckpointError, match="let it teach one: edgeseg train --data DIR --teacher") as refused:
        taken_over(read_checkpoint(run), Chain(steps=(student,)), cache)
    words = shlex.split(str(refused.value).partition("let it teach one: edgeseg ")[2])
    words[words.index("--data") + 1], words[words.index("--out") + 1] = str(data), str(tmp_path / "taught")
    more = ["--epochs", "1", "--steps-per-epoch", "1", "--crop-px", "32", "--cache", str(tmp_path / "cache")]
    result = CliRunner().invoke(app, [*words, *more])
    assert result.exit_code == 0, result.output
    assert read_checkpoint(tmp_path / "taught").header.train.distil_weight == 0.5
