"""The golden vectors of other channels and several classes are what the networks beside them draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgeseg.artifacts import sha256_bytes, sha256_file
from edgeseg.data.open_scan import open_scan
from edgeseg.jsonio import from_json
from edgeseg.results.golden_vectors import GoldenClasses, GoldenMask, GoldenNetwork, GoldenScan
from edgeseg.runtime import Segmenter
from edgeseg.runtime.self_test import decode_runs, in_one
from edgeseg.stages.ship.class_networks import class_networks
from edgeseg.stages.ship.class_vectors import CLASSES_FOLDER, CLASSES_MANIFEST, class_slices, class_vectors

FOLDER = Path(__file__).resolve().parents[2] / "golden" / CLASSES_FOLDER
KEPT = from_json(GoldenClasses, (FOLDER / CLASSES_MANIFEST).read_bytes())
NAMES = [Path(network.file).stem for network in KEPT.networks]
ANEW = "the golden vectors are stale; run: edgeseg golden --out tests/golden"


def _drawn(masks: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    return [in_one(mask) for mask in masks]


def _equal(kept: tuple[GoldenMask, ...], masks: NDArray[np.bool_]) -> None:
    for one, mask in zip(kept, _drawn(masks), strict=True):
        np.testing.assert_array_equal(decode_runs(one.runs, one.height, one.width), mask, err_msg=ANEW)
        assert sha256_bytes(mask.astype(np.uint8).tobytes()) == one.sha256


@pytest.mark.parametrize("network", KEPT.networks, ids=NAMES)
def test_each_network_draws_what_is_kept(network: GoldenNetwork) -> None:
    assert sha256_file(FOLDER / network.file) == network.sha256
    segmenter = Segmenter.load(FOLDER / network.file)
    contract = segmenter.contract
    assert (contract.channels, tuple(region.name for region in contract.regions)) == (network.channels, network.masks)
    images = class_slices(next(one for one in class_networks() if f"{one.name}.onnx" == network.file))
    for kept, image in zip(network.slices, images, strict=True):
        assert sha256_bytes(np.ascontiguousarray(image).tobytes()) == kept.pixels_sha256, ANEW
        picture = np.asarray(Image.open(FOLDER / kept.file))
        stacked = picture if picture.ndim == 3 else np.stack(np.split(picture, len(contract.channels)), axis=-1)
        np.testing.assert_array_equal(stacked, image)
    _equal(network.lone_slices, segmenter.segment(images))
    _equal(network.volume, segmenter.segment_volume(images))
    assert all(mask.any() for mask in np.moveaxis(segmenter.segment_volume(images), -1, 0) if contract.regions)


def test_the_ways_through_a_runner_differ() -> None:
    contracts = [Segmenter.load(FOLDER / network.file).contract for network in KEPT.networks]
    assert {contract.output for contract in contracts} == {"logits", "probabilities", "softmax"}
    assert {contract.exclusive for contract in contracts} == {False, True}
    assert {len(contract.channels) for contract in contracts} == {1, 2, 3, 4}
    assert {contract.normalisation for contract in contracts} == {"unit", "slice", "z-score", "percentile"}
    assert {contract.passes for contract in contracts} == {1, 2}
    assert sum(contract.golden is not None for contract in contracts) >= 3
    assert any(network.lone_slices != network.volume for network in KEPT.networks)


@pytest.mark.parametrize("kept", KEPT.scans, ids=[scan.files[1] for scan in KEPT.scans])
def test_each_scan_is_read_and_drawn_on_as_kept(kept: GoldenScan) -> None:
    segmenter = Segmenter.load(FOLDER / kept.model)
    channels = segmenter.contract.channels
    files = {name: FOLDER / file for name, file in zip(channels, kept.files, strict=True)}
    with open_scan(sequences=files, channels=segmenter.contract.channel_set) as scan:
        read = tuple(sha256_bytes(scan.image(index).tobytes()) for index in range(len(scan.slice_names)))
        assert (scan.slice_mm, *(scan.pixel_mm or ())) == kept.spacing_mm
        assert read == kept.pixels_sha256
        _equal(kept.volume, segmenter.segment(scan))
    assert any(mask.tumour_pixels for mask in kept.volume)


def test_the_command_writes_the_same_vectors(tmp_path: Path) -> None:
    made = class_vectors(tmp_path)
    assert made.scans == KEPT.scans, ANEW
    for new, kept in zip(made.networks, KEPT.networks, strict=True):
        assert (new.slices, new.lone_slices, new.volume) == (kept.slices, kept.lone_slices, kept.volume), ANEW
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in FOLDER.iterdir())
