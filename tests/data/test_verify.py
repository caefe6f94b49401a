from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.open import open_dataset
from edgeseg.data.summary import summarise
from edgeseg.data.verify import VerifyResult, verify_dataset
from edgeseg.errors import MaskError
from edgeseg.jsonio import from_json, to_json

FIRST, SECOND = "TCGA_AA_0001_20000101", "TCGA_AA_0002_20000102"


def found(root: Path) -> set[tuple[str, str, str]]:
    """Level, kind and last part of the place of each finding."""
    result = verify_dataset(open_dataset(root))
    assert result.errors + result.warnings == len(result.findings)
    return {(f.level, f.kind, f.where.rpartition("/")[2]) for f in result.findings}


@pytest.fixture
def folder(tiny_lgg: Path) -> Path:
    return tiny_lgg / "kaggle_3m" / FIRST


def test_sound_set_has_no_findings(tiny_lgg: Path) -> None:
    calls: list[tuple[int, int | None]] = []
    result = verify_dataset(KaggleLgg(tiny_lgg), progress=lambda done, total, _: calls.append((done, total)))
    assert result.findings == ()
    assert result.passed
    assert (result.patients, result.slices) == (6, 32)
    assert calls == [(n, 6) for n in range(1, 7)]


def test_missing_halves(tiny_lgg: Path, folder: Path) -> None:
    (folder / f"{FIRST}_5_mask.tif").unlink()
    (folder / f"{FIRST}_7.tif").unlink()
    assert found(tiny_lgg) == {
        ("error", "missing-mask", f"{FIRST}_5.tif"),
        ("error", "mask-without-slice", f"{FIRST}_7_mask.tif"),
    }


def test_wrong_shapes(tiny_lgg: Path, folder: Path) -> None:
    Image.new("L", (32, 64)).save(folder / f"{FIRST}_5_mask.tif")
    Image.fromarray(np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)).save(folder / f"{FIRST}_6.tif")
    Image.new("L", (32, 32)).save(folder / f"{FIRST}_6_mask.tif")
    assert found(tiny_lgg) == {
        ("error", "wrong-shape", f"{FIRST}_5_mask.tif"),
        ("error", "wrong-shape", f"{FIRST}_6.tif"),
    }


def test_unreadable_files(tiny_lgg: Path, folder: Path) -> None:
    for name in (f"{FIRST}_5.tif", f"{FIRST}_6_mask.tif"):
        (folder / name).write_bytes((folder / name).read_bytes()[:200])
    Image.new("RGBA", (64, 64)).save(folder / f"{FIRST}_8.tif")
    assert found(tiny_lgg) == {
        ("error", "unreadable-slice", f"{FIRST}_5.tif"),
        ("error", "unreadable-mask", f"{FIRST}_6_mask.tif"),
        ("error", "unreadable-slice", f"{FIRST}_8.tif"),
    }


def test_empty_patients(tiny_lgg: Path) -> None:
    (tiny_lgg / "kaggle_3m" / "TCGA_CC_0009_20000109").mkdir()
    for number in (2, 3):
        Image.new("L", (64, 64)).save(tiny_lgg / "kaggle_3m" / SECOND / f"{SECOND}_{number}_mask.tif")
    assert found(tiny_lgg) == {
        ("error", "no-slices", "TCGA_CC_0009_20000109"),
        ("warning", "no-tumour", SECOND),
    }


def test_gaps_and_repeated_numbers(tiny_lgg: Path, folder: Path) -> None:
    for ending in (".tif", "_mask.tif"):
        (folder / f"{FIRST}_4{ending}").unlink()
        (folder / f"{FIRST}_9{ending}").rename(folder / f"{FIRST}_011{ending}")
    assert found(tiny_lgg) == {
        ("error", "gap", f"{FIRST}_5.tif"),
        ("error", "gap", f"{FIRST}_10.tif"),
        ("error", "repeated-number", f"{FIRST}_11.tif"),
    }


def test_set_that_does_not_start_at_one_has_a_gap(tiny_lgg: Path, folder: Path) -> None:
    for ending in (".tif", "_mask.tif"):
        (folder / f"{FIRST}_1{ending}").unlink()
    assert found(tiny_lgg) == {("error", "gap", f"{FIRST}_2.tif")}


def test_duplicates(tiny_lgg: Path, folder: Path) -> None:
    shutil.copy(folder / f"{FIRST}_5.tif", folder / f"{FIRST}_6.tif")
    shutil.copy(folder / f"{FIRST}_7.tif", tiny_lgg / "kaggle_3m" / SECOND / f"{SECOND}_4.tif")
    for number in (10, 11):
        Image.new("RGB", (64, 64)).save(folder / f"{FIRST}_{number}.tif")
    assert found(tiny_lgg) == {
        ("warning", "duplicate-slice", f"{FIRST}_6.tif"),
        ("error", "duplicate-slice", f"{SECOND}_4.tif"),
    }


def test_misplaced_file(tiny_lgg: Path, folder: Path) -> None:
    Image.new("RGB", (64, 64)).save(folder / "other_1.tif")
    assert found(tiny_lgg) == {("error", "misplaced-file", "other_1.tif")}


def test_result_survives_the_round_trip(tiny_lgg: Path, folder: Path) -> None:
    (folder / f"{FIRST}_5_mask.tif").unlink()
    result = verify_dataset(KaggleLgg(tiny_lgg))
    assert not result.passed
    assert from_json(VerifyResult, to_json(result)) == result


def test_summary_counts(tiny_lgg: Path) -> None:
    summary = summarise(KaggleLgg(tiny_lgg))
    assert (summary.patients, summary.slices, summary.tumour_slices) == (6, 32, 12)
    assert (summary.fewest_slices, summary.most_slices) == (4, 12)
    tumour = 2 * sum((4 + 2 * n) ** 2 for n in range(6))
    assert summary.tumour_pixel_share == pytest.approx(tumour / (32 * 64 * 64))
    assert summary.all_background_accuracy == pytest.approx(1 - tumour / (32 * 64 * 64))
    assert [(row.institution, row.patients, row.slices) for row in summary.institutions] == [
        ("AA", 4, 24),
        ("BB", 2, 8),
    ]
    assert [(size.height, size.width, size.slices) for size in summary.sizes] == [(64, 64, 32)]


def test_summary_refuses_a_broken_set(tiny_lgg: Path, folder: Path) -> None:
    (folder / f"{FIRST}_5_mask.tif").unlink()
    with pytest.raises(MaskError):
        summarise(KaggleLgg(tiny_lgg))
