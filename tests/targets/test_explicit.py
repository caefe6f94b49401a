"""One operation a layer: the same values, and what each family of layers becomes in int8."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgeseg.backend import load_keras
from edgeseg.errors import ArtifactError
from edgeseg.specs import Contract
from edgeseg.targets import TARGETS, ConvertJob, open_artifact
from edgeseg.targets._explicit import explicit
from edgeseg.targets.ranges import measure
from edgeseg.targets.target import kernel_sizes

ROOT = Path(__file__).resolve().parents[2]
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def study(script: Callable[[Path], ModuleType]) -> ModuleType:
    """The script that writes the page of layers."""
    return script(ROOT / "benchmarks" / "layers.py")


@pytest.fixture(scope="module")
def families(study: ModuleType) -> tuple[Any, dict[str, list[str]]]:
    """One network in which every family stands once, and the names of the layers of each."""
    keras = load_keras()
    keras.utils.set_random_seed(0)
    image = keras.Input((32, 32, 3), name="image")
    x = keras.layers.Conv2D(study.WIDTH, 3, padding="same", name="before")(image)
    owners: dict[str, list[str]] = {}
    known = {"image", "before", "head"}
    for family, layer in study.layers().items():
        x = layer(keras.layers, x)
        so_far = explicit(keras.Model(image, x))
        owners[family] = [one.name for one in so_far.layers if one.name not in known]
        known.update(owners[family])
    return keras.Model(image, keras.layers.Conv2D(1, 1, name="head")(x)), owners


def test_the_values_stay_what_they_were(families: tuple[Any, dict[str, list[str]]]) -> None:
    model, _ = families
    image = IMAGES.astype(np.float32) / 255
    wanted = np.asarray(model(image))
    np.testing.assert_allclose(np.asarray(explicit(model)(image)), wanted, atol=1e-2 * np.abs(wanted).max())


def _page(study: ModuleType, target: str) -> dict[str, str]:
    """What the page says of each family in one column."""
    cells = [line.strip("| ").split(" | ") for line in study.PAGE.read_text().splitlines() if line.startswith("| ")]
    column = cells[0].index(target)
    return {row[0]: row[column].rpartition(",")[0] for row in cells[1:]}


def test_the_page_says_what_each_family_becomes_in_tflite(
    families: tuple[Any, dict[str, list[str]]],
    study: ModuleType,
    make_contract: Callable[..., Contract],
    tmp_path: Path,
) -> None:
    model, owners = families
    network = explicit(model)
    ranges = measure(network, list(IMAGES.astype(np.float32) / 255))
    path = tmp_path / "one.tflite"
    job = ConvertJob(model=network, contract=make_contract(height=32, width=32), ranges=ranges)
    TARGETS["tflite-int8"].convert(job, path)
    kept = set(open_artifact(path).contract.float_layers)
    said = {}
    for family, names in owners.items():
        own = kept & set(names)
        said[family] = study.INTEGER if not own else study.FLOAT if len(own) == len(names) else study.PARTLY
    assert said == _page(study, "tflite-int8")


@pytest.mark.parametrize(
    "family", ["SiLU", "ELU", "ReLU6", "group normalisation", "squeeze and excite", "concatenation", "zero padding"]
)
def test_the_page_says_what_a_family_becomes_in_onnx(family: str, study: ModuleType, tmp_path: Path) -> None:
    network = study.network(study.layers()[family])
    ranges = measure(network, list(IMAGES.astype(np.float32) / 255))
    said, error = study.outcome(network, "onnx-int8", ranges, IMAGES, tmp_path)
    assert said == _page(study, "onnx-int8")[family]
    assert error < 0.1


def test_a_layer_that_is_called_twice_keeps_its_weights_and_its_stand_in() -> None:
    keras = load_keras()
    image = keras.Input((8, 8, 3))
    twice = keras.layers.Conv2D(3, 3, padding="same", activation="silu", name="twice")
    model = keras.Model(image, twice(twice(image)))
    found = explicit(model)
    image_values = np.random.default_rng(0).random((1, 8, 8, 3), dtype=np.float32)
    np.testing.assert_allclose(np.asarray(found(image_values)), np.asarray(model(image_values)), atol=1e-6)
    assert found.count_params() == model.count_params()


def test_what_does_nothing_after_training_disappears() -> None:
    keras = load_keras()
    image = keras.Input((8, 8, 3))
    x = keras.layers.Dropout(0.5)(keras.layers.Conv2D(2, 1)(image))
    kinds = [type(layer).__name__ for layer in explicit(keras.Model(image, keras.layers.Conv2D(1, 1)(x))).layers]
    assert kinds == ["InputLayer", "Conv2D", "Conv2D"]


def test_layers_that_stand_for_others_have_their_kernels_counted() -> None:
    keras = load_keras()
    image = keras.Input((8, 8, 3))
    x = keras.layers.SeparableConv2D(4, 3, padding="same", activation="relu", name="split")(image)
    model = keras.Model(image, keras.layers.Conv2D(1, 1, name="mask")(x))
    assert kernel_sizes(model) == {"split.depthwise": 27, "split": 12, "mask": 4}


def test_parts_of_a_value_are_cut_one_by_one_and_ranges_are_found() -> None:
    keras = load_keras()
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3), name="image")
    first, second = keras.ops.split(keras.layers.Conv2D(6, 1)(image), [2], axis=-1)
    x = keras.layers.Concatenate()([keras.ops.sigmoid(second), first])
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(x))
    images = IMAGES[:, :8, :8].astype(np.float32) / 255
    np.testing.assert_array_equal(np.asarray(explicit(model)(images)), np.asarray(model(images)))
    assert len(measure(model, list(images)).layers) == 6


def test_what_is_not_one_value_in_float_is_refused_with_the_way_on() -> None:
    keras = load_keras()
    image = keras.Input((8, 8, 3), name="image")
    mean, variance = keras.ops.moments(image, axes=(1, 2), keepdims=True)
    chosen = keras.ops.where(image > 0.5, image, image * 0.1)
    for x, told in ((image * mean + variance, "Moments\\) gives several values"), (chosen, "gives values of bool")):
        model = keras.Model(image, keras.layers.Conv2D(1, 1)(x))
        with pytest.raises(ArtifactError, match=rf"{told}.*; export the network to ONNX"):
            measure(model, list(IMAGES[:, :8, :8].astype(np.float32) / 255))
