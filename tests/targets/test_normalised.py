"""A network that was trained on normalised volumes, in every format: the input's codes reach as far as its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeseg import imaging
from edgeseg.backend import load_keras
from edgeseg.data.volume import Volume
from edgeseg.errors import CheckpointError, OptionError
from edgeseg.runtime import Segmenter
from edgeseg.stages.predict import volume_logits
from edgeseg.targets import TARGETS, ConvertJob, KerasPredictor, open_artifact
from edgeseg.targets.ranges import ActivationRanges, LayerRange, measure
from tests.imaging._cases import normalised
from tests.targets.conftest import blobs, contract, small_network

INTEGER = ("tflite-int8", "onnx-int8", "tflite-int16x8")


@pytest.fixture(scope="module")
def job() -> ConvertJob:
    """Trained on a z-score after a percentile range, both over the volume."""
    keras = load_keras()
    keras.utils.set_random_seed(0)
    model, given = small_network(), normalised(contract(), "buda")
    images, masks = blobs(64, seed=1)
    inputs = imaging.normalise(images, given, imaging.volume_tables([images], given))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss, jit_compile=False)
    model.fit(inputs, masks[..., np.newaxis].astype(np.float32), batch_size=8, epochs=12, shuffle=False, verbose=0)
    return ConvertJob(model=model, contract=given, ranges=measure(model, inputs[:12], contract=given))


@pytest.fixture(scope="module")
def volume() -> Volume:
    images, masks = blobs(16, seed=3)
    names = tuple(map(str, range(len(images))))
    return Volume(patient="p", institution="", slice_names=names, images=images, masks=masks)


@pytest.fixture(scope="module")
def artifact(job: ConvertJob, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("normalised")

    def path_of(name: str) -> Path:
        path = folder / f"{name}{TARGETS[name].suffix}"
        if not path.exists():
            TARGETS[name].convert(job, path)
        return path

    return path_of


@pytest.mark.parametrize("name", ["keras-fp32", "onnx-fp32", "tflite-fp16", *INTEGER])
def test_every_format_draws_the_masks_of_the_network(
    name: str, job: ConvertJob, volume: Volume, artifact: Callable[[str], Path]
) -> None:
    opened = open_artifact(artifact(name))
    assert opened.contract.intensity == job.contract.intensity
    assert opened.contract.schema_version == 3
    reference = volume_logits(KerasPredictor(job.model, job.contract), volume) > 0
    found = volume_logits(opened, volume) > 0
    assert 0 < reference.mean() < 0.5
    assert np.mean(found != reference) * 1e6 <= 3 * TARGETS[name].max_flip_ppm
    if isinstance(opened, Segmenter):
        assert np.array_equal(opened.segment_volume(volume.images), found)


@pytest.mark.parametrize("name", INTEGER)
def test_the_codes_of_the_input_reach_as_far_as_the_calibrated_values(
    name: str, job: ConvertJob, volume: Volume, artifact: Callable[[str], Path]
) -> None:
    opened = open_artifact(artifact(name))
    assert isinstance(opened, Segmenter)
    tables = imaging.volume_tables([volume.images], job.contract)
    codes = opened.encoded(volume.images[:1], tables).astype(int)
    values = imaging.normalise(volume.images[:1], job.contract, tables)
    if opened.contract.layout == "NCHW":
        codes = codes.transpose(0, 2, 3, 1)
    info = opened._session.input
    assert info.scale is not None
    assert info.zero_point is not None
    back = (codes - info.zero_point) * info.scale
    assert values.min() < -0.3
    assert values.max() > 1.3
    assert np.abs(back - values).max() <= info.scale


def test_ranges_without_one_for_the_input_are_refused(job: ConvertJob, tmp_path: Path) -> None:
    assert job.ranges is not None
    old = replace(job, ranges=replace(job.ranges, image=None))
    for name in INTEGER:
        with pytest.raises(CheckpointError, match="none for the network's input"):
            TARGETS[name].convert(old, tmp_path / f"a{TARGETS[name].suffix}")
    assert not list(tmp_path.iterdir())


def test_the_usual_input_needs_no_range_and_has_none(trained: Any) -> None:
    inputs = trained.images[:2].astype(np.float32) / 255
    assert measure(trained.model, inputs).image is None
    assert measure(trained.model, inputs, contract=trained.job.contract).image is None


@pytest.mark.parametrize("name", ["bytes", "mean-std", "percentile by slice, all"])
def test_a_range_that_no_slice_decides_is_the_contracts(name: str, trained: Any) -> None:
    given = normalised(contract(), name)
    inputs = imaging.normalise(trained.images[:2], given)
    assert measure(trained.model, inputs, contract=given).image == imaging.known_range(given)


@pytest.mark.parametrize("method", ["min-max", "percentile", "mse"])
def test_a_range_that_slices_decide_follows_from_them_by_the_method(
    method: str, job: ConvertJob, volume: Volume
) -> None:
    inputs = imaging.normalise(volume.images[:2], job.contract)
    found = measure(job.model, inputs, method=method, contract=job.contract).image
    assert found is not None
    assert inputs.min() <= found[0] <= 0 <= found[1] <= inputs.max()
    if method == "min-max":
        assert found == (inputs.min(), inputs.max())


@pytest.mark.parametrize("image", [(0.5, 1.0), (-1.0, -0.5), (0.0, float("inf")), (float("nan"), 1.0)])
def test_a_range_of_the_input_holds_zero(image: tuple[float, float]) -> None:
    with pytest.raises(OptionError, match="with 0 between them"):
        ActivationRanges(method="min-max", layers=(LayerRange(layer="a", low=0.0, high=1.0),), image=image)


def test_bytes_as_they_are_stay_exact_codes(trained: Any, tmp_path: Path) -> None:
    """A network that takes 0 to 255: its int8 code is the byte minus 128, as with 0 to 1."""
    assert trained.job.ranges is not None
    given = normalised(contract(), "bytes")
    ranges = replace(trained.job.ranges, image=imaging.known_range(given))
    for name in ("tflite-int8", "onnx-int8"):
        path = tmp_path / f"{name}{TARGETS[name].suffix}"
        TARGETS[name].convert(replace(trained.job, contract=replace(given, trained_on="none"), ranges=ranges), path)
        opened = open_artifact(path)
        assert isinstance(opened, Segmenter)
        codes = opened.encoded(trained.images[:1]).astype(int)
        codes = codes.transpose(0, 2, 3, 1) if opened.contract.layout == "NCHW" else codes
        assert np.array_equal(codes, trained.images[:1].astype(int) - 128)
