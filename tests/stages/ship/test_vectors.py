"""The golden vectors in the repository are those of the weights that ship, and say what edgeseg's own steps do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg import networks
from edgeseg.artifacts import sha256_bytes, sha256_file
from edgeseg.components import post_process
from edgeseg.data.phantom import phantom_volume
from edgeseg.jsonio import from_json, to_json
from edgeseg.results.golden_vectors import GoldenSet
from edgeseg.runtime.self_test import decode_runs
from edgeseg.stages.ship.convert import sources
from edgeseg.stages.ship.unit_vectors import units
from edgeseg.stages.ship.vectors import MANIFEST, MIN_TUMOUR_PIXELS, SEED, SLICES, UNITS_FILE

FOLDER = Path(__file__).resolve().parents[2] / "golden"
ANEW = "the golden vectors are stale; run: edgeseg golden --out tests/golden"


@pytest.fixture(scope="module")
def kept() -> GoldenSet:
    return from_json(GoldenSet, (FOLDER / MANIFEST).read_bytes())


def test_they_rest_on_the_weights_ranges_and_choice_that_ship(kept: GoldenSet) -> None:
    found = sources(networks.get("light"))
    for name in ("weights_sha256", "ranges_sha256", "choice_sha256"):
        assert getattr(kept, name) == found[name], ANEW


def test_the_slices_are_the_phantoms_and_no_other_picture_lies_beside_them(kept: GoldenSet) -> None:
    assert sorted(path.name for path in FOLDER.glob("*.png")) == sorted(image.file for image in kept.slices)
    volume = phantom_volume(int(kept.patient.rpartition("_")[2]), seed=SEED)
    assert len(kept.slices) == SLICES
    for image in kept.slices:
        assert sha256_file(FOLDER / image.file) == image.sha256
        pixels = np.asarray(Image.open(FOLDER / image.file))
        assert sha256_bytes(pixels.tobytes()) == image.pixels_sha256
        slice_of = volume.slice_names.index(image.file.removesuffix(".png"))
        np.testing.assert_array_equal(pixels, volume.images[slice_of], err_msg=ANEW)


def test_every_mask_is_whole_and_none_is_empty(kept: GoldenSet) -> None:
    assert [artifact.target for artifact in kept.artifacts] == ["onnx-fp32", "onnx-int8"]
    for artifact in kept.artifacts:
        for kind in ("raw", "lone_slices", "volume", "volume_largest_only", "half_size"):
            masks = getattr(artifact, kind)
            assert len(masks) == SLICES
            for mask in masks:
                drawn = decode_runs(mask.runs, mask.height, mask.width)
                assert sha256_bytes(drawn.astype(np.uint8).tobytes()) == mask.sha256
                assert drawn.sum() == mask.tumour_pixels > 0
        assert min(mask.tumour_pixels for mask in artifact.raw) >= MIN_TUMOUR_PIXELS
        assert artifact.golden is not None


def test_post_processed_masks_follow_from_the_raw_ones(kept: GoldenSet) -> None:
    for artifact in kept.artifacts:
        raw = np.stack([decode_runs(mask.runs, mask.height, mask.width) for mask in artifact.raw])
        for volume, kind in ((False, artifact.lone_slices), (True, artifact.volume)):
            wanted = np.stack([decode_runs(mask.runs, mask.height, mask.width) for mask in kind])
            np.testing.assert_array_equal(post_process(raw, artifact.post_processing, volume=volume), wanted)


def test_the_unit_vectors_are_what_the_steps_give() -> None:
    assert (FOLDER / UNITS_FILE).read_text() == to_json(units(), indent=None) + "\n", ANEW
    found = units()
    assert any(vector.runs != vector.kept and any(vector.kept) for vector in found.components)
    assert len({vector.normalisation for vector in found.resampled}) == 2
