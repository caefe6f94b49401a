from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.data.kaggle_lgg import KaggleLgg, looks_like_kaggle_lgg
from edgeseg.data.volume import volumes
from edgeseg.errors import DatasetError, ImageError, MaskError, UnknownNameError

FIRST = "TCGA_AA_0001_20000101"
SECOND = "TCGA_AA_0002_20000102"


def test_slices_come_in_numeric_order(tiny_lgg: Path) -> None:
    volume = KaggleLgg(tiny_lgg).volume(FIRST)
    assert volume.slice_names == tuple(f"{FIRST}_{n}" for n in range(1, 13))
    assert volume.images[:, 0, 0, 0].tolist() == list(range(1, 13))
    assert volume.images.shape == (12, 64, 64, 3)
    assert volume.images.dtype == np.uint8
    assert volume.reference.dtype == np.bool_
    assert volume.reference.any(axis=(1, 2)).tolist() == [False, True, True] + [False] * 9
    assert volume.institution == "AA"


def test_all_patients_are_listed_and_stray_files_are_not(tiny_lgg: Path) -> None:
    (tiny_lgg / "kaggle_3m" / "__MACOSX").mkdir()
    (tiny_lgg / "kaggle_3m" / FIRST / f"._{FIRST}_1.tif").write_bytes(b"resource fork")
    dataset = KaggleLgg(tiny_lgg)
    assert len(dataset.patients) == 6
    assert list(dataset.patients) == sorted(dataset.patients)
    assert dataset.name == "kaggle-lgg"
    assert [volume.patient for volume in volumes(dataset)] == list(dataset.patients)


@pytest.mark.parametrize("place", [".", "kaggle_3m", "lgg-mri-segmentation/kaggle_3m"])
def test_each_place_of_the_archive_is_accepted(tiny_lgg: Path, tmp_path: Path, place: str) -> None:
    given = tmp_path / "given"
    shutil.copytree(tiny_lgg / "kaggle_3m", given / place)
    assert looks_like_kaggle_lgg(given)
    assert len(KaggleLgg(given).patients) == 6


def test_patients_that_are_all_phantoms_name_the_set(tiny_lgg: Path) -> None:
    root = tiny_lgg / "kaggle_3m"
    for folder in [f for f in root.iterdir() if f.is_dir()]:
        shutil.rmtree(folder)
    patient = "PHANTOM_PA_0000"
    (root / patient).mkdir()
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(root / patient / f"{patient}_1.tif")
    assert KaggleLgg(tiny_lgg).name == "phantom"
    assert KaggleLgg(tiny_lgg).institution(patient) == "PA"


def test_missing_mask_is_named(tiny_lgg: Path) -> None:
    (tiny_lgg / "kaggle_3m" / FIRST / f"{FIRST}_10_mask.tif").unlink()
    with pytest.raises(MaskError, match=rf"{FIRST}_10\.tif: this slice has no mask"):
        KaggleLgg(tiny_lgg).volume(FIRST)


def test_mask_without_slice_is_named(tiny_lgg: Path) -> None:
    (tiny_lgg / "kaggle_3m" / FIRST / f"{FIRST}_10.tif").unlink()
    with pytest.raises(ImageError, match=rf"{FIRST}_10_mask\.tif: this mask has no slice"):
        KaggleLgg(tiny_lgg).volume(FIRST)


def test_slice_of_another_size_is_named(tiny_lgg: Path) -> None:
    Image.new("RGB", (32, 64)).save(tiny_lgg / "kaggle_3m" / FIRST / f"{FIRST}_4.tif")
    with pytest.raises(ImageError, match=rf"{FIRST}_4\.tif: the slice is 64 x 32"):
        KaggleLgg(tiny_lgg).volume(FIRST)


def test_number_twice_is_named(tiny_lgg: Path) -> None:
    folder = tiny_lgg / "kaggle_3m" / FIRST
    for ending in (".tif", "_mask.tif"):
        shutil.copy(folder / f"{FIRST}_3{ending}", folder / f"{FIRST}_03{ending}")
    with pytest.raises(DatasetError, match="slice 3 is there twice"):
        KaggleLgg(tiny_lgg).volume(FIRST)


def test_slice_of_another_patient_is_named(tiny_lgg: Path) -> None:
    stray = tiny_lgg / "kaggle_3m" / SECOND / f"{FIRST}_1.tif"
    shutil.copy(tiny_lgg / "kaggle_3m" / FIRST / f"{FIRST}_1.tif", stray)
    with pytest.raises(DatasetError, match=rf"{FIRST}_1\.tif: the name fits no slice of {SECOND}"):
        KaggleLgg(tiny_lgg).volume(SECOND)


def test_patient_without_slices_is_named(tiny_lgg: Path) -> None:
    (tiny_lgg / "kaggle_3m" / "TCGA_CC_0009_20000109").mkdir()
    with pytest.raises(DatasetError, match="TCGA_CC_0009_20000109 has no slices"):
        KaggleLgg(tiny_lgg).volume("TCGA_CC_0009_20000109")


def test_unknown_patient_gets_the_nearest(tiny_lgg: Path) -> None:
    with pytest.raises(UnknownNameError, match=f"Did you mean '{FIRST}'"):
        KaggleLgg(tiny_lgg).volume(FIRST[:-1])


def test_missing_empty_and_other_folders_are_refused(tiny_lgg: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        KaggleLgg(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="empty"):
        KaggleLgg(tmp_path / "empty")
    (tmp_path / "wrapped" / "kaggle_3m").mkdir(parents=True)
    with pytest.raises(DatasetError, match="empty"):
        KaggleLgg(tmp_path / "wrapped")
    with pytest.raises(DatasetError, match="is a file"):
        KaggleLgg(tiny_lgg / "kaggle_3m" / "data.csv")
    with pytest.raises(DatasetError, match="looks like one patient"):
        KaggleLgg(tiny_lgg / "kaggle_3m" / FIRST)
