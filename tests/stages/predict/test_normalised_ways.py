"""Whoever runs a network on normalised slices gives it the same numbers: scores, ranges, runner, folders, service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg import imaging
from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.cache import cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.runtime import Segmenter
from edgeseg.runtime.onnx_session import OnnxSession
from edgeseg.service.app import create_app
from edgeseg.service.engine import Engine
from edgeseg.specs import SEGMENT_ROUTE, Contract, ServeOptions
from edgeseg.stages.calibrate import choose_slices
from edgeseg.stages.calibrate.learned import _slices
from edgeseg.stages.calibrate.manifest import network_inputs
from edgeseg.stages.predict import Remembered, volume_logits
from edgeseg.stages.segment import run
from tests.imaging._cases import CASES, normalised

SIDE_PX = 64
NAMES = [name for name in CASES if "percentile by" not in name or "volume" in name]
Given = list[NDArray[np.float32]]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """What ONNX networks are given, NHWC."""
    seen: Given = []
    infer = OnnxSession.infer

    def spy(session: OnnxSession, tensor: NDArray[Any]) -> NDArray[Any]:
        seen.append(tensor.transpose(0, 2, 3, 1).copy())
        return infer(session, tensor)

    monkeypatch.setattr(OnnxSession, "infer", spy)
    return seen


def _posted(model: Path, slices: list[Path]) -> None:
    options = ServeOptions(workers=1, hosts=("service",))
    engine = Engine.load(model, options)
    sent = [("slices", (path.name, path.read_bytes())) for path in slices]

    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(engine, options))
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as one:
            return await one.post(f"{SEGMENT_ROUTE}?volume=true", files=sent)

    try:
        assert asyncio.run(go()).status_code == 200
    finally:
        engine.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_way_to_a_network_gives_it_the_same_numbers(
    name: str,
    given: Given,
    tiny_lgg: Path,
    tiny_checkpoint: Path,
    tiny_contract: Contract,
    tiny_onnx: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contract = normalised(replace(tiny_contract, height=SIDE_PX, width=SIDE_PX), name)
    model = tiny_onnx(contract=contract, size=(SIDE_PX, SIDE_PX))
    dataset, checkpoint = KaggleLgg(tiny_lgg), read_checkpoint(tiny_checkpoint)
    patient = checkpoint.header.validation_patients[0]
    volume, folder = dataset.volume(patient), tiny_lgg / "kaggle_3m" / patient
    files = [folder / f"{one}.tif" for one in volume.slice_names]
    images = imaging.to_network(volume.images, contract)
    wanted = imaging.normalise(images, contract, imaging.volume_tables([images], contract))
    ways: dict[str, NDArray[np.float32]] = {}

    def take(way: str) -> None:
        ways[way] = np.concatenate(given)
        given.clear()

    opened = Segmenter.load(model)
    volume_logits(opened, volume)
    take("evaluation")
    volume_logits(Remembered(opened), volume)
    take("build")
    opened.segment_volume(volume.images)
    take("runner")
    run(model, [folder], out=tmp_path / "out")
    take("folder")
    _posted(model, files)
    take("service")
    manifest = choose_slices(dataset, (patient,), slices=len(files), seed=0)
    names = [entry.slice_name for entry in manifest.slices]
    found = dict(zip(names, network_inputs(manifest, dataset, contract), strict=True))
    ways["calibration"] = np.stack([found[one] for one in volume.slice_names])
    monkeypatch.setattr("edgeseg.stages.calibrate.learned.checkpoint_contract", lambda _header: contract)
    cache = cached(dataset, "key", root=tmp_path / "cache")
    rows = np.arange(len(files)) + cache.rows(patient).start
    ways["learned ranges"] = np.stack(list(_slices(checkpoint, cache, rows)))
    assert {way: one.tobytes() == wanted.tobytes() for way, one in ways.items()} == dict.fromkeys(ways, True)


def test_flips_do_not_change_what_is_counted(
    given: Given, tiny_contract: Contract, tiny_onnx: Callable[..., Path], tiny_lgg: Path
) -> None:
    contract = normalised(replace(tiny_contract, height=SIDE_PX, width=SIDE_PX), "buda")
    dataset = KaggleLgg(tiny_lgg)
    volume = dataset.volume(dataset.patients[0])
    opened = Segmenter.load(tiny_onnx(contract=contract, size=(SIDE_PX, SIDE_PX)))
    plain, mirrored = volume_logits(opened, volume), volume_logits(opened, volume, flips="hflip")
    np.testing.assert_allclose(plain, mirrored, atol=1e-5)
    count = len(volume.images)
    assert np.array_equal(np.concatenate(given[:count]), np.concatenate(given[-count:])[:, :, ::-1])


def test_lone_slices_of_a_network_by_volume_are_doubted(
    tiny_contract: Contract, tiny_onnx: Callable[..., Path], tiny_lgg: Path, tmp_path: Path
) -> None:
    dataset = KaggleLgg(tiny_lgg)
    patient = dataset.patients[0]
    folder = tiny_lgg / "kaggle_3m" / patient
    for name, told in (("buda", True), ("z-score by slice, all", False)):
        contract = normalised(replace(tiny_contract, height=SIDE_PX, width=SIDE_PX), name)
        model = tiny_onnx(contract=contract, size=(SIDE_PX, SIDE_PX))
        (alone,) = run(model, [folder / f"{patient}_2.tif"], out=tmp_path / "alone").patients
        (whole,) = run(model, [folder], out=tmp_path / "whole").patients
        assert any("these slices stand alone" in warning for warning in alone.warnings) == told
        assert not any("these slices stand alone" in warning for warning in whole.warnings)
