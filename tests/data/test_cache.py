"""The memory-mapped cache of decoded slices."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.data.cache import SliceCache, cached, folder_key
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.volume import Volume
from edgeseg.errors import ImageError
from edgeseg.imaging import to_network
from edgeseg.specs import LGG, ChannelSet, Contract, VariantSpec


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


def test_a_cached_patient_equals_the_one_on_disk(tiny_lgg: Path, cache: SliceCache) -> None:
    source = KaggleLgg(tiny_lgg)
    assert cache.patients == source.patients
    assert cache.name == source.name
    for patient in source.patients:
        ours, theirs = cache.volume(patient), source.volume(patient)
        np.testing.assert_array_equal(ours.images, theirs.images)
        np.testing.assert_array_equal(ours.reference, theirs.reference)
        assert ours.slice_names == theirs.slice_names
        assert cache.institution(patient) == source.institution(patient)


def test_rows_carry_the_names_of_their_slices(cache: SliceCache) -> None:
    second = cache.patients[1]
    rows = cache.rows(second)
    assert cache.slice_name(rows.start) == f"{second}/{cache.volume(second).slice_names[0]}"
    with pytest.raises(IndexError):
        cache.slice_name(len(cache.images))


def test_a_second_opening_decodes_nothing(cache: SliceCache, tmp_path: Path) -> None:
    class Unreadable:
        channels: ChannelSet = LGG
        classes: tuple[str, ...] = ()
        name, patients = "x", ("p",)

        def institution(self, patient: str) -> str:
            raise AssertionError

        def volume(self, patient: str) -> Volume:
            raise AssertionError

    again = cached(Unreadable(), "key", root=tmp_path / "cache")
    np.testing.assert_array_equal(again.images, cache.images)


@pytest.mark.parametrize("file", ["index.json", "images.npy", "masks.npy"])
def test_a_damaged_cache_is_made_anew(tiny_lgg: Path, cache: SliceCache, tmp_path: Path, file: str) -> None:
    path = tmp_path / "cache" / "slices" / "key" / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")
    np.testing.assert_array_equal(again.volume(again.patients[0]).images, cache.volume(cache.patients[0]).images)


def test_a_reader_that_fails_leaves_no_cache(tiny_lgg: Path, tmp_path: Path) -> None:
    odd = tiny_lgg / "kaggle_3m" / "TCGA_BB_0006_20000106"
    next(odd.glob("*_2.tif")).write_bytes(b"damaged")
    with pytest.raises(ImageError, match="TCGA_BB_0006"):
        cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")
    assert list((tmp_path / "cache" / "slices").iterdir()) == []


def test_slices_of_several_sizes_are_brought_to_the_median(tiny_lgg: Path, tmp_path: Path) -> None:
    odd = "TCGA_BB_0006_20000106"
    for path in (tiny_lgg / "kaggle_3m" / odd).glob("*.tif"):
        Image.open(path).resize((32, 40), Image.Resampling.NEAREST).save(path)
    source = KaggleLgg(tiny_lgg)
    cache = cached(source, "key", root=tmp_path / "cache")
    assert (cache.index.height, cache.index.width, cache.index.resampled) == (64, 64, True)
    cache.require_unchanged()
    np.testing.assert_array_equal(cache.volume(cache.patients[0]).images, source.volume(cache.patients[0]).images)
    contract = Contract(variant=VariantSpec(), tier="", target="", layout="NHWC", trained_on="", height=64, width=64)
    np.testing.assert_array_equal(cache.volume(odd).images, to_network(source.volume(odd).images, contract))
    found, stored = (one.volume(odd).reference.mean() for one in (cache, source))
    assert found == pytest.approx(stored, rel=0.05)


def test_the_arrays_are_those_that_numpy_would_save(tiny_lgg: Path, tmp_path: Path) -> None:
    cache = cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")
    for array, name in ((cache.images, "images.npy"), (cache.masks, "masks.npy")):
        whole = io.BytesIO()
        np.save(whole, np.ascontiguousarray(array), allow_pickle=False)
        assert (cache.folder / name).read_bytes() == whole.getvalue()


def test_the_key_changes_with_the_files(tiny_lgg: Path) -> None:
    before = folder_key(tiny_lgg)
    assert folder_key(tiny_lgg) == before
    next(tiny_lgg.rglob("*_mask.tif")).unlink()
    assert folder_key(tiny_lgg) != before


def test_the_key_changes_with_files_behind_links(tiny_lgg: Path, tmp_path: Path) -> None:
    linked = tmp_path / "subset"
    linked.mkdir()
    first, second, *_ = sorted(path for path in (tiny_lgg / "kaggle_3m").iterdir() if path.is_dir())
    (linked / first.name).symlink_to(first)
    one = folder_key(linked)
    (linked / second.name).symlink_to(second)
    two = folder_key(linked)
    (linked / "back").symlink_to(linked)
    assert folder_key(linked) == two
    next(first.glob("*_mask.tif")).unlink()
    assert len({one, two, folder_key(linked)}) == 3


def test_the_content_hash_depends_on_who_is_in(cache: SliceCache) -> None:
    first, second = cache.patients[:2]
    assert cache.content_hash((first,)) != cache.content_hash((second,))
    assert cache.content_hash((first, second)) != cache.content_hash((first,))


def test_the_key_changes_with_masks_that_keep_their_size_and_time(tiny_lgg: Path) -> None:
    before, mask = folder_key(tiny_lgg), next(tiny_lgg.rglob("*_mask.tif"))
    stat, content = mask.stat(), bytearray(mask.read_bytes())
    content[-1] ^= 0xFF
    mask.write_bytes(content)
    os.utime(mask, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert mask.stat().st_mtime_ns == stat.st_mtime_ns
    assert folder_key(tiny_lgg) != before


@pytest.mark.parametrize("file", ["images.npy", "masks.npy"])
@pytest.mark.parametrize("place", [200, -1])
def test_arrays_that_were_changed_are_made_anew_and_it_is_said(
    tiny_lgg: Path, cache: SliceCache, tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str, place: int
) -> None:
    path = tmp_path / "cache" / "slices" / "key" / file
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    again, source = cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache"), KaggleLgg(tiny_lgg)
    for patient in source.patients:
        np.testing.assert_array_equal(again.volume(patient).images, source.volume(patient).images)
        np.testing.assert_array_equal(again.volume(patient).reference, source.volume(patient).reference)
    assert "is not what was written there" in caplog.text
    assert cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache").index == again.index
    assert caplog.text.count("made anew") == 1


def test_an_index_that_claims_other_rows_is_made_anew(tiny_lgg: Path, cache: SliceCache, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "slices" / "key" / "index.json"
    path.write_text(path.read_text().replace('"first": 12', '"first": 11'))
    assert cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache").index == cache.index


def test_the_cache_is_private(cache: SliceCache, tmp_path: Path) -> None:
    assert (tmp_path / "cache" / "slices").stat().st_mode & 0o077 == 0


def _resident_kb(path: Path) -> int:
    """How much of a mapped file is in this process' memory."""
    found, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name = line.partition(" ")[0]
        if not name.endswith(":"):
            inside = line.endswith(str(path))
        elif inside and name == "Rss:":
            found += int(line.split()[1])
    return found


def test_what_was_read_can_be_let_go_and_is_there_again(cache: SliceCache) -> None:
    images = cache.folder / "images.npy"
    before = cache.images[...].copy()
    assert _resident_kb(images) > 0
    cache.let_go()
    assert _resident_kb(images) == 0
    np.testing.assert_array_equal(cache.images, before)
