"""What runs alone is normalised as `edgeseg run` does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.imaging import framed, framed_size, prepared, to_network
from edgeseg.runtime import Segmenter
from edgeseg.specs import Contract, Intensity
from edgeseg.stages.bench.latency import one_slice
from edgeseg.workers import solo

Write = Callable[..., Path]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collect the tables that every call of `Segmenter.logits` is given."""
    seen: list[Any] = []
    own = Segmenter.logits

    def logits(self: Segmenter, images: NDArray[np.uint8], tables: Any = None) -> Any:
        seen.append(tables)
        return own(self, images, tables)

    monkeypatch.setattr(Segmenter, "logits", logits)
    return seen


def test_a_volume_is_normalised_as_one(
    tiny_onnx: Write, tiny_contract: Contract, tmp_path: Path, asked: list[Any]
) -> None:
    by_volume = replace(tiny_contract, normalisation="z-score", intensity=Intensity(over="volume")).versioned()
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), dtype=np.uint8)
    np.save(tmp_path / "slices.npy", images)
    model = tiny_onnx("volume.onnx", contract=by_volume)
    solo.measure(solo.SoloJob(model=str(model), threads=1, slices=str(tmp_path / "slices.npy"), volume=3))
    _, wanted = prepared(images, by_volume)
    assert len(asked) == 3
    for given in asked:
        np.testing.assert_array_equal(given, wanted)


def test_one_slice_is_counted_before_it_is_timed(tiny_onnx: Write, tiny_contract: Contract, asked: list[Any]) -> None:
    by_volume = replace(tiny_contract, normalisation="z-score", intensity=Intensity(over="volume")).versioned()
    image = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    one_slice(Segmenter.load(tiny_onnx("volume.onnx", contract=by_volume)), image)()
    np.testing.assert_array_equal(asked[0], prepared(image[np.newaxis], by_volume)[1])


def test_a_bare_model_runs_with_its_contract(
    tiny_onnx: Write, tiny_contract: Contract, tmp_path: Path, asked: list[Any]
) -> None:
    place = tmp_path / "told.toml"
    place.write_text("size = [16, 24]\n")
    np.save(tmp_path / "slice.npy", np.zeros((1, 16, 24, 3), np.uint8))
    model = tiny_onnx("bare.onnx", contract=None)
    job = solo.SoloJob(model=str(model), threads=1, slices=str(tmp_path / "slice.npy"), contract=str(place))
    solo.measure(job)
    assert len(asked) == 1 + solo.WARM_RUNS


def test_slices_whose_pixels_are_not_square_are_framed(
    tiny_onnx: Write, tiny_contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (1, 20, 24, 3), dtype=np.uint8)
    np.save(tmp_path / "slices.npy", images)
    seen: list[Any] = []
    own = Segmenter.logits

    def logits(self: Segmenter, given: Any, tables: Any = None) -> Any:
        seen.append(given)
        return own(self, given, tables)

    monkeypatch.setattr(Segmenter, "logits", logits)
    model = str(tiny_onnx(contract=tiny_contract))
    solo.measure(solo.SoloJob(model=model, threads=1, slices=str(tmp_path / "slices.npy"), pixel_mm=(2.0, 1.0)))
    size = framed_size((20, 24), tiny_contract, (2.0, 1.0))
    assert size != (20, 24)
    np.testing.assert_array_equal(seen[0], to_network(framed(images[0], size)[np.newaxis], tiny_contract))
