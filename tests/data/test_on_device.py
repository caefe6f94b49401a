"""Batches that are made on the device: the crops that the host would have cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.data import augment as host
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.on_device import DeviceBatches
from edgeseg.data.sampler import Sampler
from edgeseg.errors import OptionError
from edgeseg.specs import AUGMENTATIONS, TrainSpec
from tests._classes import discs

SPEC = TrainSpec(batch_size=4, empty_share=0.25, crop_px=48, missing_share=0.5, seed=3)
Batch = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


def _both(cache: SliceCache, spec: TrainSpec, soft: np.ndarray | None = None) -> tuple[Batch, Batch]:
    sampler = Sampler.of(cache, cache.patients, spec, soft)
    images, targets = DeviceBatches(sampler).batch(2, 1)
    return sampler.batch(2, 1), (np.asarray(images), np.asarray(targets))


def _assert_alike(ours: np.ndarray, theirs: np.ndarray) -> None:
    """At most a grey value apart, but for the few where a steep gamma makes more of a rounding step."""
    apart = np.abs(ours - theirs) * 255
    assert ours.shape == theirs.shape
    assert theirs.dtype == np.float32
    assert apart.mean() < 0.05
    assert (apart > 1.01).mean() < 2e-3


@pytest.mark.parametrize(("mode", "share"), [*((mode, 0.0) for mode in AUGMENTATIONS), ("strong", 1.0)])
def test_the_device_cuts_and_varies_as_the_host_does(
    cache: SliceCache, monkeypatch: pytest.MonkeyPatch, mode: str, share: float
) -> None:
    monkeypatch.setitem(host.MODES, mode, replace(host.MODES[mode], noise=0.0))
    spec = replace(SPEC, augment=mode, paste_share=share, blank_share=share)
    (images, masks), (images_there, masks_there) = _both(cache, spec)
    _assert_alike(images, images_there)
    assert (masks != masks_there).mean() < 1e-3
    assert masks.any()


def test_soft_labels_are_mixed_as_on_the_host(cache: SliceCache) -> None:
    soft = np.random.default_rng(0).integers(0, 256, cache.masks.shape, dtype=np.uint8)
    spec = replace(SPEC, augment="rich", loss="bce", teachers=("0" * 64,), distil_weight=0.25)
    (_, targets), (_, there) = _both(cache, spec, soft)
    assert there.shape == (4, 48, 48, 2)
    _assert_alike(targets, there)


@pytest.mark.parametrize("paste_share", [0.0, 1.0])
def test_several_classes_are_cut_taught_and_pasted_as_on_the_host(tmp_path: Path, paste_share: float) -> None:
    cache = discs(tmp_path)
    soft = np.random.default_rng(0).integers(0, 256, cache.masks.shape, dtype=np.uint8)
    spec = replace(SPEC, augment="rich", loss="bce", teachers=("0" * 64,), distil_weight=0.25, paste_share=paste_share)
    (images, targets), (images_there, there) = _both(cache, replace(spec, crop_px=32), soft)
    assert there.shape == (4, 32, 32, 4)
    _assert_alike(images, images_there)
    _assert_alike(targets, there)


def test_stretched_slices_are_stretched_there_too(cache: SliceCache) -> None:
    (images, _), (there, _) = _both(cache, replace(SPEC, augment="flips", normalisation="slice"))
    _assert_alike(images, there)
    assert not np.allclose(there, _both(cache, replace(SPEC, augment="flips"))[1][0], atol=0.01)


def test_the_draws_are_those_of_the_host_with_noise_too(cache: SliceCache) -> None:
    spec = replace(SPEC, augment="scanner", batch_size=8)
    (_, masks), (_, there) = _both(cache, spec)
    assert sum(v.noise > 0 for v in Sampler.of(cache, cache.patients, spec).variations(2, 1)[:-1]) > 0
    assert (masks != there).mean() < 1e-3


def test_only_slices_of_the_patients_are_copied(cache: SliceCache) -> None:
    sampler = Sampler.of(cache, cache.patients[2:4], replace(SPEC, augment="none"))
    batches = DeviceBatches(sampler)
    assert len(batches._slices[0]) == len(sampler.tumour_rows) + len(sampler.empty_rows) < len(cache.images)
    _assert_alike(sampler.batch(1, 0)[0], np.asarray(batches.batch(1, 0)[0]))


def test_a_device_without_room_is_one_clear_error(cache: SliceCache, monkeypatch: pytest.MonkeyPatch) -> None:
    import jax

    def full(_: object) -> None:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory\nmore of it")

    monkeypatch.setattr(jax, "device_put", full)
    with pytest.raises(OptionError, match=r"slices take 0\.0 GB and the device has no room .*leave out --augment-on"):
        DeviceBatches(Sampler.of(cache, cache.patients, SPEC))


def test_noise_repeats_by_seed_and_step_and_stays_in_range(cache: SliceCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(host.MODES, "none", replace(host.MODES["none"], noise=0.2, noise_share=1.0))
    plain = replace(SPEC, augment="none", missing_share=0.0)
    batches = DeviceBatches(Sampler.of(cache, cache.patients, plain))
    first, again, other = (np.asarray(batches.batch(*when)[0]) for when in ((1, 0), (1, 0), (1, 1)))
    np.testing.assert_array_equal(first, again)
    assert first.min() >= 0.0
    assert first.max() <= 1.0
    clean, _ = Sampler.of(cache, cache.patients, plain).batch(1, 0)
    assert 0.0 < np.abs(first - clean).mean() < 0.2
    assert not np.array_equal(first, other)
