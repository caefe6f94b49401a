"""Sets as hospitals and tools write them: read as they are meant, or refused with what is odd about them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from edgeseg.cli.main import app
from edgeseg.data.layouts.layout import StoredDataset
from edgeseg.data.open import open_dataset
from edgeseg.errors import DatasetError, MaskError

ROOT = Path(__file__).parents[3]
LABELS = "whole=1+2+4,core=1+4"


@pytest.fixture(scope="session")
def written(script: Callable[[Path], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of three patients in each layout, which no test changes."""
    root = tmp_path_factory.mktemp("awkward")
    for layout in ("brats", "nnunet", "csv", "grey"):
        script(ROOT / "tools" / "own_data.py").main([layout, str(root / layout), "--patients", "3"])
    return root


@pytest.fixture
def copied(written: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Give a function that copies a set of a layout, to be changed."""

    def copy(layout: str) -> Path:
        return Path(shutil.copytree(written / layout, tmp_path / layout))

    return copy


def _masks(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*.nii.gz") if "seg" in path.name or path.parent.name == "labelsTr")


def _rewrite(path: Path, change: Callable[[NDArray[Any]], NDArray[Any]], *, slope: float = 1.0) -> None:
    there = nibabel.load(path)
    made = nibabel.Nifti1Image(change(np.asarray(there.dataobj)), there.affine)
    made.header.set_slope_inter(slope, 0)
    nibabel.save(made, path)


def _pixels(dataset: StoredDataset) -> list[tuple[Any, ...]]:
    """What is to stay the same of each patient: sizes and sums of images and masks."""
    found = []
    for volume in map(dataset.volume, dataset.patients):
        sums = np.asarray(volume.reference).reshape(-1, max(1, len(volume.classes))).sum(axis=0)
        found.append((volume.images.shape, volume.spacing_mm, int(volume.images.sum(dtype=np.int64)), sums.tolist()))
    return found


@pytest.mark.parametrize(
    ("change", "slope"),
    [
        (lambda labels: labels.astype(np.float32) * np.float32(1.0000001), 1.0),
        (lambda labels: labels.astype(np.int16) * 100, 0.01),
        (lambda labels: np.where(labels == 4, 3, labels), 1.0),
    ],
    ids=["float", "scaled", "of another year"],
)
def test_labels_are_what_they_round_to(
    change: Callable[[NDArray[Any]], NDArray[Any]], slope: float, written: Path, copied: Callable[[str], Path]
) -> None:
    root = copied("brats")
    for path in _masks(root):
        _rewrite(path, change, slope=slope)
    assert _pixels(open_dataset(root)) == _pixels(open_dataset(written / "brats"))


@pytest.mark.parametrize("white", [255, 65535])
def test_white_of_any_depth_is_tumour(white: int, written: Path, copied: Callable[[str], Path]) -> None:
    root, before = copied("grey"), _pixels(open_dataset(written / "grey"))
    for path in (root / "masks").rglob("*.png"):
        mask = np.asarray(Image.open(path)) > 0
        Image.fromarray(mask.astype(np.uint16) * np.uint16(white)).save(path)
    assert _pixels(open_dataset(root)) == before


@pytest.mark.parametrize(
    ("labels", "change", "told"),
    [
        pytest.param(None, lambda m: np.where(m == 2, 0.5, m).astype(np.float32), "holds 0.5, which is no", id="half"),
        pytest.param(None, lambda m: np.where(m == 2, 3, m), "holds 3, 4, and 3 and 4 are one class", id="3 and 4"),
        pytest.param(LABELS, lambda m: np.where(m == 4, 3, m), "holds 3, and 3 and 4 are one class", id="3 for 4"),
        pytest.param(None, lambda m: m[..., 0], "a lone slice as 64 x 64 x 1", id="two axes"),
    ],
)
def test_masks_that_could_mean_two_things_are_refused(
    labels: str | None, change: Callable[[NDArray[Any]], NDArray[Any]], told: str, copied: Callable[[str], Path]
) -> None:
    root = copied("brats")
    _rewrite(_masks(root)[0], change)
    with pytest.raises((MaskError, DatasetError), match=told):
        _pixels(open_dataset(root, labels=labels))


def test_both_labels_of_a_class_are_taken_where_somebody_says_so(copied: Callable[[str], Path]) -> None:
    root = copied("brats")
    _rewrite(_masks(root)[0], lambda labels: np.where(labels == 2, 3, labels))
    volume = open_dataset(root, labels="core=1+4,rest=3").volume("synthetic_000")
    assert np.asarray(volume.reference).any(axis=(0, 1, 2)).all()


@pytest.mark.parametrize("axes", ["LAS", "RPI", "PIR", "SRA"])
@pytest.mark.parametrize("which", ["*Tr", "labelsTr"])
def test_however_voxels_are_stored_they_are_seen_alike(
    axes: str, which: str, written: Path, copied: Callable[[str], Path]
) -> None:
    root = copied("nnunet")
    for path in root.glob(f"{which}/*.nii.gz"):
        there = nibabel.load(path)
        turn = nibabel.orientations.ornt_transform(
            nibabel.io_orientation(there.affine), nibabel.orientations.axcodes2ornt(axes)
        )
        nibabel.save(there.as_reoriented(turn), path)
    patient = "case_001"
    found, before = (open_dataset(place).volume(patient) for place in (root, written / "nnunet"))
    assert np.array_equal(found.images, before.images)
    assert np.array_equal(found.reference, before.reference)
    assert found.spacing_mm == before.spacing_mm


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace(",", ";").replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace("/", "\\").encode(),
        lambda text: text.replace("north", '"north\nwing"').encode(),
        lambda text: f"\n{text}\n,,,,,,,\n\n".replace("\n", "\n\n").encode(),
        lambda text: text.replace("patient,site", '"Patient",SITE').replace("mask", "Mask", 1).encode(),
    ],
    ids=["bom", "utf-16", "semicolons", "old mac", "windows paths", "line in quotes", "empty lines", "capitals"],
)
def test_a_list_is_read_however_it_was_saved(
    rewritten: Callable[[str], bytes], written: Path, copied: Callable[[str], Path]
) -> None:
    root = copied("csv")
    path = root / "patients.csv"
    path.write_bytes(rewritten(path.read_text()))
    found = open_dataset(root, labels=LABELS)
    assert found.institution("p001") == "south"
    assert _pixels(found) == _pixels(open_dataset(written / "csv", labels=LABELS))


def test_ids_stay_as_they_are_written(copied: Callable[[str], Path]) -> None:
    path = copied("csv") / "patients.csv"
    text = path.read_text()
    for old, new in (("p000", "007"), ("p001", "7"), ("p002", "Fall Ä 患")):
        text = text.replace(f"\n{old},", f"\n{new},")
    path.write_text(text)
    assert open_dataset(path, labels=LABELS).patients == ("007", "7", "Fall Ä 患")


def test_a_list_in_another_encoding_is_named(copied: Callable[[str], Path]) -> None:
    path = copied("csv") / "patients.csv"
    path.write_bytes(path.read_text().replace("north", "Köln").encode("latin-1"))
    with pytest.raises(DatasetError, match="it is not UTF-8 text"):
        open_dataset(path.parent)


def test_links_are_followed_and_count_as_what_they_lead_to(
    written: Path, copied: Callable[[str], Path], tmp_path: Path
) -> None:
    root = copied("csv")
    shutil.move(root / "p000", tmp_path / "elsewhere")
    (root / "p000").symlink_to(tmp_path / "elsewhere")
    found = open_dataset(root, labels=LABELS)
    assert _pixels(found) == _pixels(open_dataset(written / "csv", labels=LABELS))
    (root / "p001" / "t2.nii.gz").unlink()
    (root / "p001" / "t2.nii.gz").symlink_to(tmp_path / "elsewhere" / "t2.nii.gz")
    with pytest.raises(DatasetError, match="image of two patients, 'p000' and 'p001'"):
        open_dataset(root, labels=LABELS)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({"necrosis": 1, "oedema": 2, "enhancing": 3}, ("necrosis", "oedema", "enhancing")),
        ({"background": 0, "whole": [1, 2, 3], "core": [1, 3], "x": 3}, ("whole", "core", "x")),
        ({"background": 0, "a, b": 1, "x=y": 2, "c": 3}, ("a-b", "x-y", "c")),
    ],
    ids=["no background", "regions", "signs"],
)
def test_names_of_labels_are_those_that_commands_take(
    labels: dict[str, Any], names: tuple[str, ...], copied: Callable[[str], Path]
) -> None:
    root = copied("nnunet")
    told = json.loads((root / "dataset.json").read_text())
    (root / "dataset.json").write_text(json.dumps(told | {"labels": labels}))
    assert open_dataset(root).classes == names
    assert open_dataset(root, labels=f"all={'+'.join(names)}").classes == ()


def test_names_of_labels_that_would_be_one_are_refused(copied: Callable[[str], Path]) -> None:
    root = copied("nnunet")
    told = json.loads((root / "dataset.json").read_text())
    told["labels"] = {"background": 0, "left side": 1, "Left-Side": 2, "enhancing": 3}
    (root / "dataset.json").write_text(json.dumps(told))
    with pytest.raises(DatasetError, match="labels 'left side', 'Left-Side' have no names of their own"):
        open_dataset(root)


def test_names_of_other_capitals_and_what_an_archiver_leaves_are_no_trouble(
    written: Path, copied: Callable[[str], Path]
) -> None:
    root = copied("brats")
    for path in list(root.rglob("*.nii.gz")):
        (path.parent / f"._{path.name}").write_bytes(b"\0\5\x16\7")
        path.rename(path.with_name(path.name.replace("_seg", "_Seg").replace("_t1ce", "_T1ce")))
    assert _pixels(open_dataset(root)) == _pixels(open_dataset(written / "brats"))


@pytest.mark.parametrize(
    ("change", "shape"),
    [(lambda v: v[:, :, 3:4], (1, 64, 64)), (lambda v: np.repeat(v[20:37], 5, axis=1)[:, :300], (8, 300, 17))],
    ids=["one slice", "17 x 300"],
)
def test_any_shape_is_read(
    change: Callable[[NDArray[Any]], NDArray[Any]], shape: tuple[int, int, int], copied: Callable[[str], Path]
) -> None:
    root = copied("nnunet")
    for path in root.glob("*Tr/*.nii.gz"):
        _rewrite(path, change)
    assert open_dataset(root).volume("case_000").images.shape == (*shape, 2)


def test_grey_pictures_in_colour_are_told(copied: Callable[[str], Path]) -> None:
    root = copied("grey")
    for path in (root / "images").rglob("*.png"):
        Image.open(path).convert("RGB").save(path)
    result = CliRunner().invoke(app, ["data", "verify", str(root)])
    assert result.exit_code == 0
    assert "patient_000 and 2 more: all channels hold the same values" in result.output


def test_a_mask_that_jpeg_blurred_is_told(copied: Callable[[str], Path]) -> None:
    root = copied("grey")
    for path in list((root / "masks").rglob("*.png")):
        Image.open(path).save(path.with_suffix(".jpg"))
        path.unlink()
    with pytest.raises(MaskError, match="JPEG blurs masks, so save them as PNG"):
        open_dataset(root).volume("patient_000")
