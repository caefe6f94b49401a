from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.artifacts import shipped
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.split import (
    Split,
    SplitPatient,
    check_split,
    deal,
    make_folds,
    mask_digest,
    read_split,
    write_split,
)
from edgeseg.errors import OptionError, SplitError

FIRST = "TCGA_AA_0001_20000101"


def made_up(counts: dict[str, int], seed: int = 0) -> list[SplitPatient]:
    rng = np.random.default_rng(seed)
    return [
        SplitPatient(
            patient=f"{name}{index:03}",
            institution=name,
            slices=20,
            tumour_slices=5,
            tumour_pixels=int(rng.lognormal(9, 1)),
            mask_sha256="0",
        )
        for name, count in counts.items()
        for index in range(count)
    ]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("folds", [2, 5, 7])
def test_folds_are_disjoint_whole_and_balanced(seed: int, folds: int) -> None:
    patients = made_up({"CS": 16, "DU": 45, "EZ": 1, "FG": 14, "HT": 34}, seed)
    dealt = deal(patients, folds=folds, seed=seed)
    assert Counter(p for fold in dealt for p in fold) == Counter(entry.patient for entry in patients)
    sizes = [len(fold) for fold in dealt]
    assert max(sizes) - min(sizes) <= 1
    for name in ("CS", "DU", "EZ", "FG", "HT"):
        inside = [sum(patient.startswith(name) for patient in fold) for fold in dealt]
        assert max(inside) - min(inside) <= 1


def test_tumour_volume_is_spread() -> None:
    patients = made_up({"DU": 100})
    pixels = {entry.patient: entry.tumour_pixels for entry in patients}
    largest = sorted(pixels, key=lambda patient: -pixels[patient])[:20]
    for fold in deal(patients, folds=5, seed=3):
        assert len(set(fold) & set(largest)) == 4


def test_seed_decides_the_folds() -> None:
    patients = made_up({"DU": 40, "HT": 13})
    assert deal(patients, folds=5, seed=1) == deal(list(reversed(patients)), folds=5, seed=1)
    assert deal(patients, folds=5, seed=1) != deal(patients, folds=5, seed=2)


def test_manifest_says_what_was_split(tiny_lgg: Path) -> None:
    calls: list[tuple[int, int | None]] = []
    split = make_folds(KaggleLgg(tiny_lgg), folds=3, seed=4, progress=lambda *at: calls.append(at[:2]))
    assert split.data == "kaggle-lgg"
    assert split.seed == 4
    first = split.patients[0]
    assert (first.patient, first.institution, first.slices, first.tumour_slices) == (FIRST, "AA", 12, 2)
    assert first.tumour_pixels == 2 * 4 * 4
    assert first.mask_sha256 == mask_digest(KaggleLgg(tiny_lgg).volume(FIRST).reference)
    assert calls[-1] == (6, 6)
    for fold in range(3):
        assert not set(split.training(fold)) & set(split.validation(fold))
        assert len(split.training(fold)) + len(split.validation(fold)) == 6
    with pytest.raises(OptionError, match="folds 0 to 2"):
        split.training(3)


def test_digest_sees_pixels_and_shape_only() -> None:
    masks = np.zeros((2, 3, 4), dtype=np.bool_)
    assert mask_digest(masks) == mask_digest(np.asfortranarray(masks))
    assert mask_digest(masks) != mask_digest(masks.reshape(2, 4, 3))
    other = masks.copy()
    other[1, 2, 3] = True
    assert mask_digest(masks) != mask_digest(other)


def test_split_survives_the_round_trip(tiny_lgg: Path, tmp_path: Path) -> None:
    split = make_folds(KaggleLgg(tiny_lgg), folds=2)
    path = write_split(split, tmp_path / "deep" / "folds.json")
    assert read_split(path) == split


@pytest.mark.parametrize(("folds", "kind"), [(1, OptionError), (0, OptionError), (7, SplitError)])
def test_impossible_numbers_of_folds_are_refused(tiny_lgg: Path, folds: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="fold"):
        make_folds(KaggleLgg(tiny_lgg), folds=folds)


@pytest.fixture
def split_file(tiny_lgg: Path, tmp_path: Path) -> Path:
    return write_split(make_folds(KaggleLgg(tiny_lgg), folds=3), tmp_path / "folds.json")


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_leaking_split_is_refused(split_file: Path) -> None:
    folds = json.loads(split_file.read_text())["folds"]
    edit(split_file, folds=[folds[0], [*folds[1], folds[0][0]], folds[2]])
    with pytest.raises(SplitError, match=f"{folds[0][0]} is in the folds 2 times"):
        read_split(split_file)


def test_empty_fold_is_refused(split_file: Path) -> None:
    folds = json.loads(split_file.read_text())["folds"]
    edit(split_file, folds=[folds[0] + folds[1], [], folds[2]])
    with pytest.raises(SplitError, match="fold 1 holds no patient"):
        read_split(split_file)


def test_undescribed_patient_is_refused(split_file: Path) -> None:
    folds = json.loads(split_file.read_text())["folds"]
    edit(split_file, folds=[*folds[:2], [*folds[2], "stranger"]])
    with pytest.raises(SplitError, match="stranger is in a fold but not described"):
        read_split(split_file)


def test_other_schema_is_refused(split_file: Path) -> None:
    edit(split_file, schema_version=99)
    with pytest.raises(SplitError, match="schema version 99"):
        read_split(split_file)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"folds": 3}', "\x00"])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "folds.json").write_text(text)
    with pytest.raises(SplitError, match=r"folds\.json: not a split"):
        read_split(tmp_path / "folds.json")


def test_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="cannot be read"):
        read_split(tmp_path / "none.json")


def test_unchanged_data_passes_and_more_patients_are_allowed(split_file: Path, tiny_lgg: Path) -> None:
    split = read_split(split_file)
    check_split(split, KaggleLgg(tiny_lgg))
    part = Split(
        data=split.data, seed=0, folds=tuple((e.patient,) for e in split.patients[:2]), patients=split.patients[:2]
    )
    check_split(part, KaggleLgg(tiny_lgg))


def test_changed_mask_is_named(split_file: Path, tiny_lgg: Path) -> None:
    path = tiny_lgg / "kaggle_3m" / FIRST / f"{FIRST}_2_mask.tif"
    with Image.open(path) as image:
        pixels = np.roll(np.asarray(image), 1, axis=0)
    Image.fromarray(pixels).save(path)
    with pytest.raises(SplitError, match=f"{FIRST} is not what was split: the masks' pixels changed"):
        check_split(read_split(split_file), KaggleLgg(tiny_lgg))
    check_split(read_split(split_file), KaggleLgg(tiny_lgg), patients=["TCGA_BB_0005_20000105"])


def test_missing_patient_is_named(split_file: Path, tiny_lgg: Path) -> None:
    split = read_split(split_file)
    (tiny_lgg / "kaggle_3m" / FIRST).rename(tiny_lgg / "elsewhere")
    with pytest.raises(SplitError, match=f"1 patient.*{FIRST}"):
        check_split(split, KaggleLgg(tiny_lgg))
    with pytest.raises(SplitError, match="stranger is not in the split"):
        check_split(split, KaggleLgg(tiny_lgg), patients=["stranger"])


def test_committed_folds_are_sound() -> None:
    split = read_split(shipped("calibration", "splits", "tcga-lgg-folds5.json"))
    assert split.data == "kaggle-lgg"
    assert len(split.folds) == 5
    assert len(split.patients) == 88
    assert sum(entry.slices for entry in split.patients) == 3104
    assert sum(entry.tumour_slices for entry in split.patients) == 1053
    assert deal(split.patients, folds=5, seed=split.seed) == split.folds
