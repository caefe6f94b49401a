"""Which slices a batch holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.sampler import Sampler
from edgeseg.errors import SplitError
from edgeseg.imaging import stretch
from edgeseg.specs import TrainSpec

SPEC = TrainSpec(batch_size=4, empty_share=0.25, crop_px=32)


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


def test_a_batch_holds_the_asked_share_of_empty_slices(cache: SliceCache) -> None:
    sampler = Sampler.of(cache, cache.patients, SPEC)
    for step in range(3):
        has_tumour = [bool(cache.masks[row].any()) for row in sampler.rows(1, step)]
        assert has_tumour == [True, True, True, False]


def test_an_epoch_is_one_pass_over_the_tumour_slices(cache: SliceCache) -> None:
    sampler = Sampler.of(cache, cache.patients, SPEC)
    assert len(sampler.tumour_rows) == 12
    assert sampler.steps_per_epoch == 4
    drawn = np.concatenate([sampler.rows(1, step)[:3] for step in range(4)])
    assert sorted(drawn) == sorted(sampler.tumour_rows)


def test_epochs_differ_and_repeat_by_seed(cache: SliceCache) -> None:
    sampler = Sampler.of(cache, cache.patients, SPEC)
    again = Sampler.of(cache, cache.patients, SPEC)
    other = Sampler.of(cache, cache.patients, replace(SPEC, seed=1))
    again.batch(3, 2)
    np.testing.assert_array_equal(sampler.batch(2, 1)[0], again.batch(2, 1)[0])
    assert not np.array_equal(sampler.rows(1, 0), sampler.rows(2, 0))
    assert not np.array_equal(sampler.rows(1, 0), other.rows(1, 0))


def test_only_the_given_patients_are_drawn(cache: SliceCache) -> None:
    chosen = cache.patients[2:4]
    sampler = Sampler.of(cache, chosen, SPEC)
    drawn = {name.split("/")[0] for step in range(5) for name in sampler.names(1, step)}
    assert drawn == set(chosen)


def test_without_empty_slices_the_batch_is_all_tumour(cache: SliceCache) -> None:
    sampler = Sampler(cache, Sampler.of(cache, cache.patients, SPEC).tumour_rows, np.array([], np.int64), SPEC)
    assert len(sampler.rows(1, 0)) == 4
    assert sampler.batch(1, 0)[0].shape == (4, 32, 32, 3)


def test_patients_without_tumour_are_refused(tiny_lgg: Path, tmp_path: Path) -> None:
    from PIL import Image

    patient = "TCGA_AA_0002_20000102"
    for path in (tiny_lgg / "kaggle_3m" / patient).glob("*_mask.tif"):
        Image.new("L", (64, 64)).save(path)
    cache = cached(KaggleLgg(tiny_lgg), "empty", root=tmp_path / "cache")
    with pytest.raises(SplitError, match="none of the 1 training patients has a slice with tumour"):
        Sampler.of(cache, (patient,), SPEC)


def test_soft_labels_are_mixed_into_the_second_target_by_their_weight(cache: SliceCache) -> None:
    spec = replace(SPEC, augment="none", distil_weight=0.25, teachers=("teacher",))
    soft = np.full(cache.masks.shape, 255, np.uint8)
    _, targets = Sampler.of(cache, cache.patients, spec, soft).batch(1, 0)
    assert targets.shape[-1] == 2
    np.testing.assert_allclose(targets[..., 1], 0.75 * targets[..., 0] + 0.25, atol=1e-6)


def test_slices_are_stretched_before_they_are_varied(cache: SliceCache) -> None:
    spec = replace(SPEC, augment="none", normalisation="slice", crop_px=cache.index.height)
    sampler = Sampler.of(cache, cache.patients, spec)
    images, _ = sampler.batch(1, 0)
    wanted = stretch(np.stack([cache.images[row] for row in sampler.rows(1, 0)]))
    np.testing.assert_allclose(images, wanted / np.float32(255), atol=1e-6)


def test_variations_are_what_a_batch_gets(cache: SliceCache) -> None:
    sampler = Sampler.of(cache, cache.patients, replace(SPEC, augment="strong", missing_share=0.5))
    first, again, other = sampler.variations(1, 0), sampler.variations(1, 0), sampler.variations(1, 1)
    assert [v.affine for v in first] == [v.affine for v in again]
    assert [v.affine for v in first] != [v.affine for v in other]
    assert len(first) == SPEC.batch_size
    assert all(v.bend is not None for v in first)


def test_pasting_is_part_of_a_batch_where_it_is_asked_for(cache: SliceCache) -> None:
    whole = replace(SPEC, augment="none", crop_px=cache.index.height)
    assert Sampler.of(cache, cache.patients, whole).pastes(1, 0) is None
    plain = Sampler.of(cache, cache.patients, whole).batch(1, 0)
    images, masks = Sampler.of(cache, cache.patients, replace(whole, paste_share=1.0)).batch(1, 0)
    assert not plain[1][3].any()
    assert masks[3].any()
    assert not np.array_equal(images[3], plain[0][3])
