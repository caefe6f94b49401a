from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.artifacts import sha256_file
from edgeseg.data.volume import Volume
from edgeseg.errors import ArtifactError, ContractError, EdgeSegError, OptionError, OutputError
from edgeseg.jsonio import from_json, to_json
from edgeseg.runtime import Segmenter, read_contract
from edgeseg.specs import AppManifest, Contract
from edgeseg.stages.ship import android
from edgeseg.stages.ship.android import ASSETS, FLOAT_GOLDENS, prepare_app, run_lengths

Write = Callable[..., Path]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty app, and phantoms of three small slices."""

    def small(index: int, *, seed: int) -> Volume:
        images = np.random.default_rng(index).integers(0, 256, (16, 16, 24, 3), dtype=np.uint8)
        names = tuple(f"P_{n}" for n in range(16))
        masks = images[..., 0] > 200
        return Volume(patient=f"P{index}", institution="", images=images, masks=masks, slice_names=names)

    monkeypatch.setattr(android, "phantom_volume", small)
    (tmp_path / "demo" / "app" / "src" / "main").mkdir(parents=True)
    return tmp_path / "demo"


def test_every_file_is_there_with_its_hash(app: Path, tiny_onnx: Write) -> None:
    manifest = prepare_app(tiny_onnx(), app=app)
    read = from_json(AppManifest, (app / ASSETS / "manifest.json").read_text())
    assert read == manifest
    files = [manifest.model, *(file for case in manifest.cases for file in (*case.images, *case.references))]
    assert len(files) == 1 + 2 * 32 + 2 * 2
    for file in files:
        path = app / ASSETS / file.file
        assert (path.stat().st_size, sha256_file(path)) == (file.size_bytes, file.sha256)


def test_expected_masks_are_those_of_the_artifact(app: Path, tiny_onnx: Write) -> None:
    path = tiny_onnx(form="qdq")
    manifest = prepare_app(path, app=app)
    segmenter = Segmenter.load(path)
    for case in manifest.cases:
        images = np.stack([np.asarray(Image.open(app / ASSETS / file.file)) for file in case.images])
        masks = (segmenter.segment_volume if case.volume else segmenter.segment)(images)
        assert case.expected == tuple(map(run_lengths, masks))
    assert any(mask != "" for case in manifest.cases for mask in case.expected)


def test_the_float_model_of_the_network_before_does_not_stay(app: Path, tiny_onnx: Write) -> None:
    prepare_app(tiny_onnx(form="qdq"), app=app, floating=tiny_onnx("float.onnx"))
    assert (app / FLOAT_GOLDENS / "model.onnx").is_file()
    prepare_app(tiny_onnx(form="qdq"), app=app)
    assert not (app / FLOAT_GOLDENS).exists()


def test_a_float_model_goes_beside_the_tests_without_pictures(app: Path, tiny_onnx: Write) -> None:
    prepare_app(tiny_onnx(form="qdq"), app=app, floating=tiny_onnx(name="float.onnx"))
    found = sorted(path.name for path in (app / FLOAT_GOLDENS).rglob("*") if path.is_file())
    assert found == ["manifest.json", "model.onnx"]


def test_a_contract_beside_the_model_goes_into_the_app(
    app: Path, tiny_onnx: Write, tmp_path: Path, tiny_contract: Contract
) -> None:
    place = tmp_path / "told.json"
    place.write_text(to_json(tiny_contract))
    bare = tiny_onnx("bare.onnx", contract=None)
    before = bare.read_bytes()
    prepare_app(bare, app=app, contract=place, floating=tiny_onnx("f.onnx", contract=None), float_contract=place)
    for folder in (ASSETS, FLOAT_GOLDENS):
        assert read_contract(app / folder / "model.onnx").threshold == tiny_contract.threshold
    assert bare.read_bytes() == before
    with pytest.raises(OptionError, match="says something of --float"):
        prepare_app(bare, app=app, contract=place, float_contract=place)


def test_cases_of_an_earlier_bundle_go(app: Path, tiny_onnx: Write) -> None:
    stray = app / ASSETS / "cases" / "OLD" / "OLD_1.png"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"old")
    prepare_app(tiny_onnx(), app=app)
    assert not stray.parent.exists()


def test_run_lengths_begin_with_zeros_and_end_with_the_last_run_of_ones() -> None:
    assert run_lengths(np.array([[0, 0, 1], [1, 0, 1]], bool)) == "2 2 1 1"
    assert run_lengths(np.array([[1, 1, 0]], bool)) == "0 2"
    assert run_lengths(np.zeros((2, 2), bool)) == ""


def _refused(error: type[EdgeSegError], says: str, app: Path, artifact: Path, floating: Path | None = None) -> None:
    with pytest.raises(error, match=says):
        prepare_app(artifact, app=app, floating=floating)
    assert not (app / ASSETS).exists()


def test_bad_input_is_refused_and_nothing_is_written(
    app: Path, tiny_onnx: Write, tiny_tflite: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tiny_onnx()
    _refused(OptionError, "takes .onnx", app, tiny_tflite())
    _refused(ArtifactError, "does not exist", app, tmp_path / "none.onnx")
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(good.read_bytes()[:200])
    _refused(ArtifactError, "cut", app, cut)
    _refused(OptionError, "--float takes a model in float", app, good, tiny_onnx(name="qdq.onnx", form="qdq"))
    monkeypatch.setattr(android, "MAX_MODEL_BYTES", 10)
    _refused(OptionError, "too large", app, good)
    with pytest.raises(OutputError, match="not the folder of the app"):
        prepare_app(good, app=tmp_path / "elsewhere")


def test_other_channels_and_several_classes_go_into_the_app(app: Path, tiny_onnx: Write, tiny_parts: Contract) -> None:
    contract = replace(tiny_parts, channels=("t1", "flair", "post", "t2"))
    path = tiny_onnx(contract=contract, weights=(0.0, 20.0, 0.0, 0.0), masks=3)
    manifest = prepare_app(path, app=app, floating=path)
    segmenter = Segmenter.load(path)
    for case in manifest.cases:
        pictures = np.stack([np.asarray(Image.open(app / ASSETS / file.file)) for file in case.images])
        assert pictures.shape[1:] == (4 * case.height, case.width)
        images = np.stack(np.split(pictures, 4, axis=1), axis=-1)
        masks = (segmenter.segment_volume if case.volume else segmenter.segment)(images)
        assert case.expected == tuple(run_lengths(np.concatenate(list(mask.transpose(2, 0, 1)))) for mask in masks)
        assert case.references == ()
    assert any(mask != "" for case in manifest.cases for mask in case.expected)


def test_what_the_app_cannot_feed_is_refused(app: Path, tiny_onnx: Write, tiny_contract: Contract) -> None:
    coronal = tiny_onnx(contract=replace(tiny_contract, plane="coronal"))
    _refused(ContractError, "takes coronal slices of a volume", app, coronal)
    names = tuple(f"c{number}" for number in range(9))
    many = tiny_onnx("many.onnx", contract=replace(tiny_contract, channels=names), weights=(1.0,) * 9)
    _refused(ContractError, "takes 9 channels, and the app reads at most 8", app, many)
    other = tiny_onnx("other.onnx", contract=replace(tiny_contract, channels=("t1", "t2", "ct")))
    _refused(OptionError, "other channels or classes", app, tiny_onnx("one.onnx"), other)
