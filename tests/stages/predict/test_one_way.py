"""Whoever runs a network on slices gives it the same bytes: teacher, validation, recipes, scores, ranges, runner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.runtime import Segmenter
from edgeseg.specs import NORMALISATIONS, TrainSpec, VariantSpec
from edgeseg.stages.calibrate import choose_slices
from edgeseg.stages.calibrate.learned import _slices
from edgeseg.stages.calibrate.manifest import network_inputs
from edgeseg.stages.compress import validation_dice
from edgeseg.stages.predict import checkpoint_contract, checkpoint_predictor
from edgeseg.stages.score import evaluate
from edgeseg.stages.train import soft_labels, train

Seen = list[NDArray[np.float32]]


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What Keras networks are given; they answer 0."""
    given: Seen = []

    def runner(model: Any) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
        def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
            given.append(images.copy())
            return np.zeros((*images.shape[:3], 1), np.float32)

        return run

    monkeypatch.setattr("edgeseg.targets.keras_fp32._runner", runner)
    return given


def _whole(given: Seen, count: int) -> NDArray[np.float32]:
    return np.concatenate(given)[:count]


@pytest.mark.usefixtures("untraced", "shallow")
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_every_way_to_a_network_gives_it_the_same_bytes(
    normalisation: str,
    cache: SliceCache,
    seen: Seen,
    tiny_lgg: Path,
    tiny_checkpoint: Path,
    tiny_onnx: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checkpoint = _normalised(read_checkpoint(tiny_checkpoint), normalisation)
    dataset, patient = KaggleLgg(tiny_lgg), checkpoint.header.validation_patients[0]
    volume = dataset.volume(patient)
    count = len(volume.images)
    ways: dict[str, NDArray[np.float32]] = {}

    def take(way: str) -> None:
        ways[way] = _whole(seen, count)
        seen.clear()

    soft_labels(cache, [checkpoint], train_patients=(patient,), validation_patients=())
    take("teacher")
    validation_dice(_scored_on(checkpoint, patient), cache)
    take("recipe bench")
    evaluate(checkpoint_predictor(checkpoint), [volume], artifact="keras-fp32", data="kaggle-lgg")
    take("evaluation")
    _train(cache, normalisation, patient, tmp_path / "trained")
    take("validation")
    ways["calibration"] = _calibration(dataset, checkpoint, patient, volume.slice_names)
    ways["learned ranges"] = np.stack(list(_slices(checkpoint, cache, np.arange(count) + cache.rows(patient).start)))
    ways["runner"] = _runner(tiny_onnx, checkpoint, volume.images, monkeypatch)
    wanted = ways["evaluation"]
    assert wanted.shape == (count, 64, 64, 3)
    assert {way: given.tobytes() == wanted.tobytes() for way, given in ways.items()} == dict.fromkeys(ways, True)
    plain = volume.images.astype(np.float32) * np.float32(1 / 255)
    assert np.array_equal(wanted, plain) == (normalisation == "unit")


def _normalised(checkpoint: Checkpoint, normalisation: str) -> Checkpoint:
    header = checkpoint.header
    return replace(checkpoint, header=replace(header, train=replace(header.train, normalisation=normalisation)))


def _scored_on(checkpoint: Checkpoint, patient: str) -> Checkpoint:
    return replace(checkpoint, header=replace(checkpoint.header, validation_patients=(patient,)))


def _train(cache: SliceCache, normalisation: str, patient: str, out: Path) -> None:
    variant = VariantSpec(name="alphax", alpha=0.0625, stem="half")
    spec = TrainSpec(variant=variant, epochs=1, batch_size=4, crop_px=32, warmup_steps=2, normalisation=normalisation)
    others = tuple(p for p in cache.patients if p != patient)
    train(cache, spec, out=out, train_patients=others, validation_patients=(patient,))


def _calibration(
    dataset: KaggleLgg, checkpoint: Checkpoint, patient: str, names: tuple[str, ...]
) -> NDArray[np.float32]:
    """Every slice of the patient, in anatomical order; a set may name them in another."""
    manifest = choose_slices(dataset, (patient,), slices=len(names), seed=0)
    given = dict(
        zip(
            (entry.slice_name for entry in manifest.slices),
            network_inputs(manifest, dataset, checkpoint_contract(checkpoint.header)),
            strict=True,
        )
    )
    return np.stack([given[name] for name in names])


def _runner(
    tiny_onnx: Callable[..., Path],
    checkpoint: Checkpoint,
    images: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
) -> NDArray[np.float32]:
    given: Seen = []
    contract = checkpoint_contract(checkpoint.header, "onnx-fp32")
    segmenter = Segmenter.load(tiny_onnx(contract=contract, size=(contract.height, contract.width)))
    session = segmenter._session
    infer = session.infer

    def spy(tensor: NDArray[Any]) -> NDArray[Any]:
        given.append(tensor.transpose(0, 2, 3, 1).copy())
        return infer(tensor)

    monkeypatch.setattr(session, "infer", spy, raising=True)
    segmenter.segment_volume(images)
    return np.concatenate(given)
