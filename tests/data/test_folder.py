from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.data.folder import PairedFolder
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.open import open_dataset
from edgeseg.errors import DatasetError, ImageError, MaskError


def write(image: Path, mask: Path, value: int) -> None:
    image.parent.mkdir(parents=True, exist_ok=True)
    mask.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 10, 3), value, dtype=np.uint8)).save(image)
    pixels = np.zeros((8, 10), dtype=np.uint8)
    pixels[value % 8, :] = 255
    Image.fromarray(pixels).save(mask)


@pytest.fixture
def two_trees(tmp_path: Path) -> Path:
    root = tmp_path / "tumours"
    for patient in ("p1", "p2"):
        for number in (1, 2, 10):
            image = root / "images" / patient / f"slice_{number}.png"
            write(image, root / "masks" / patient / f"slice_{number}.tif", number)
    return root


@pytest.fixture
def side_by_side(tmp_path: Path) -> Path:
    root = tmp_path / "flat"
    for patient in ("p1", "p2"):
        for number in (1, 2, 10):
            write(root / patient / f"z{number}.png", root / patient / f"z{number}_mask.png", number)
    return root


@pytest.mark.parametrize("fixture", ["two_trees", "side_by_side"])
def test_both_layouts_are_read_in_natural_order(request: pytest.FixtureRequest, fixture: str) -> None:
    root: Path = request.getfixturevalue(fixture)
    dataset = open_dataset(root)
    assert isinstance(dataset, PairedFolder)
    assert dataset.name == root.name
    assert dataset.patients == ("p1", "p2")
    volume = dataset.volume("p2")
    assert volume.images[:, 0, 0, 0].tolist() == [1, 2, 10]
    assert volume.reference.argmax(axis=1)[:, 0].tolist() == [1, 2, 2]
    assert volume.institution == ""
    assert len(set(volume.slice_names)) == 3


def test_masks_may_carry_the_ending_in_a_tree_of_their_own(two_trees: Path) -> None:
    mask = two_trees / "masks" / "p1" / "slice_2.tif"
    mask.rename(mask.with_name("slice_2_mask.tif"))
    assert len(PairedFolder(two_trees).volume("p1").slice_names) == 3


def test_missing_halves_are_named(two_trees: Path, side_by_side: Path) -> None:
    (two_trees / "masks" / "p1" / "slice_2.tif").unlink()
    with pytest.raises(MaskError, match=r"slice_2\.png: this slice has no mask"):
        PairedFolder(two_trees).volume("p1")
    (side_by_side / "p2" / "z10.png").unlink()
    with pytest.raises(ImageError, match=r"z10_mask\.png: this mask has no slice"):
        PairedFolder(side_by_side).volume("p2")


def test_second_file_of_a_name_is_refused(two_trees: Path) -> None:
    folder = two_trees / "images" / "p1"
    (folder / "slice_1.tif").write_bytes((folder / "slice_1.png").read_bytes())
    with pytest.raises(DatasetError, match="fits no slice"):
        PairedFolder(two_trees).volume("p1")


def test_slices_without_patient_folders_are_refused(two_trees: Path) -> None:
    (two_trees / "images" / "p1" / "slice_1.png").rename(two_trees / "images" / "loose.png")
    with pytest.raises(DatasetError, match="splits are by patient"):
        PairedFolder(two_trees)


def test_open_finds_the_kaggle_layout(tiny_lgg: Path) -> None:
    assert isinstance(open_dataset(tiny_lgg), KaggleLgg)
    assert isinstance(open_dataset(tiny_lgg / "kaggle_3m"), KaggleLgg)


def test_open_teaches_the_layouts(tmp_path: Path, tiny_lgg: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "notes.txt").write_text("nothing")
    with pytest.raises(DatasetError) as caught:
        open_dataset(tmp_path / "odd")
    for part in ("kaggle-lgg", "paired", "brats", "nnunet", "<n>_mask.tif", "--layout"):
        assert part in str(caught.value)
    with pytest.raises(DatasetError, match="give the folder above it"):
        open_dataset(tiny_lgg / "kaggle_3m" / "TCGA_AA_0001_20000101")


@pytest.mark.parametrize("name", ["none", "empty"])
def test_open_refuses_missing_and_empty_folders(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"no such folder|empty"):
        open_dataset(tmp_path / name)
