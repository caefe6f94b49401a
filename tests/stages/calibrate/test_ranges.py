"""Recorded ranges: whose slices, whose weights, and that what ships fits together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg import artifacts, networks
from edgeseg.checkpoint import read_checkpoint, write_checkpoint
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.split import read_split
from edgeseg.data.volume import PHANTOM
from edgeseg.errors import CheckpointError, OptionError, OutputError, SeenPatientError
from edgeseg.results import CalibrationSet
from edgeseg.specs import VariantSpec, patient_digest, refuse_calibrated
from edgeseg.stages.calibrate import ranges
from edgeseg.stages.calibrate.manifest import read_calibration
from edgeseg.stages.calibrate.ranges import RecordedRanges, choose_and_record, read_ranges, write_recorded

RECORDED = tuple(path.stem for path in artifacts.shipped("calibration", ranges.RANGES).glob("*.json"))


@pytest.fixture
def recorded(tiny_lgg: Path, tiny_checkpoint: Path) -> tuple[CalibrationSet, RecordedRanges]:
    return choose_and_record(read_checkpoint(tiny_checkpoint), KaggleLgg(tiny_lgg), slices=10, seed=0)


def test_ranges_carry_their_provenance(
    recorded: tuple[CalibrationSet, RecordedRanges], tiny_checkpoint: Path, tiny_lgg: Path
) -> None:
    manifest, found = recorded
    trained = read_checkpoint(tiny_checkpoint).header.train_patients
    assert set(manifest.patients) <= set(trained)
    assert found.patients == tuple(sorted(patient_digest(patient) for patient in manifest.patients))
    assert (found.data, found.calibration_sha256, found.slices) == ("kaggle-lgg", manifest.sha256, 10)
    assert found.weights_sha256 == artifacts.sha256_file(tiny_checkpoint)
    assert found.versions["tensorflow"]
    assert choose_and_record(read_checkpoint(tiny_checkpoint), KaggleLgg(tiny_lgg), slices=10, seed=0) == recorded
    refuse_calibrated(("TCGA_BB_0006_20000106",), found.patients)
    with pytest.raises(SeenPatientError, match=f"patient {manifest.patients[0]} and 2 more would be evaluated on"):
        refuse_calibrated(manifest.patients, found.patients)


def test_only_training_patients_of_the_fold_lend_slices(tiny_lgg: Path, tiny_checkpoint: Path) -> None:
    checkpoint, dataset = read_checkpoint(tiny_checkpoint), KaggleLgg(tiny_lgg)
    first, _, _, other = dataset.patients[:4]
    manifest, _ = choose_and_record(checkpoint, dataset, slices=4, seed=0, among=(first, other))
    assert manifest.patients == (first,)
    with pytest.raises(SeenPatientError, match="none of the 6 patients of kaggle-lgg that may be chosen trained"):
        choose_and_record(checkpoint, dataset, slices=4, seed=0, among=(other,))
    with pytest.raises(OptionError, match="99 calibration slices were asked for"):
        choose_and_record(checkpoint, dataset, slices=99, seed=0)


def test_progress_counts_patients_and_then_slices(tiny_lgg: Path, tiny_checkpoint: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    choose_and_record(
        read_checkpoint(tiny_checkpoint),
        KaggleLgg(tiny_lgg),
        slices=2,
        seed=0,
        progress=lambda done, total, _: seen.append((done, total)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3), (1, 2), (2, 2)]


def test_both_files_are_written_and_read_back(recorded: tuple[CalibrationSet, RecordedRanges], tmp_path: Path) -> None:
    manifest, found = recorded
    places = write_recorded(found, manifest, tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in places] == [
        "sets/alphax-0.0625-half.json",
        "ranges/alphax-0.0625-half.json",
    ]
    assert (read_calibration(places[0]), read_ranges(places[1])) == (manifest, found)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        write_recorded(found, manifest, tmp_path / "file")


def test_a_bad_file_is_named_with_the_way_out(recorded: tuple[CalibrationSet, RecordedRanges], tmp_path: Path) -> None:
    manifest, found = recorded
    _, path = write_recorded(found, manifest, tmp_path)
    plain = json.loads(path.read_text())
    activations = plain["activations"]
    for change, message in (
        ({"schema_version": 9}, "schema version 9"),
        ({"activations": activations | {"method": "guess"}}, "method is 'guess'"),
        ({"activations": activations | {"layers": [{"layer": "a", "low": 2.0, "high": 1.0}]}}, r"\[2.0, 1.0\]"),
        ({"slices": "x"}, r"\$.slices"),
    ):
        path.write_text(json.dumps(plain | change))
        with pytest.raises(CheckpointError, match=rf"{message}.*record them again with 'edgeseg calibrate"):
            read_ranges(path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_ranges(tmp_path / "absent.json")


def test_ranges_count_for_their_own_weights_only(
    recorded: tuple[CalibrationSet, RecordedRanges], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, found = recorded
    write_recorded(found, manifest, tmp_path / "calibration")
    monkeypatch.setattr(artifacts, "shipped", tmp_path.joinpath)
    variant = VariantSpec(alpha=0.0625)
    assert ranges.shipped_ranges(variant, found.weights_sha256) == found
    assert ranges.shipped_ranges(variant, "0" * 64) is None
    assert ranges.shipped_ranges(replace(variant, stem="full"), found.weights_sha256) is None


def test_all_weights_that_ship_have_ranges_and_no_others() -> None:
    real = {one.name for one in networks.every() if read_checkpoint(one.weights).header.data != PHANTOM}
    assert set(RECORDED) == real, "record again: edgeseg calibrate --data DIR"


@pytest.mark.parametrize("name", RECORDED)
def test_shipped_ranges_belong_to_the_shipped_weights(name: str) -> None:
    found = read_ranges(artifacts.shipped("calibration", ranges.RANGES, f"{name}.json"))
    manifest = read_calibration(artifacts.shipped("calibration", ranges.SETS, f"{name}.json"))
    checkpoint = read_checkpoint(networks.get(name).weights)
    stale = f"the ranges of {name} are stale; record them again: edgeseg calibrate --data DIR"
    assert found.weights_sha256 == artifacts.sha256_file(checkpoint.path), stale
    assert found.variant == checkpoint.header.variant.slug
    assert (found.calibration_sha256, found.data, found.slices) == (
        manifest.sha256,
        manifest.data,
        len(manifest.slices),
    )
    assert found.patients == tuple(sorted(patient_digest(patient) for patient in manifest.patients))
    assert set(manifest.patients) <= set(checkpoint.header.train_patients)


@pytest.mark.parametrize("name", RECORDED)
def test_a_shipped_set_is_stratified_and_apart_from_the_held_out_patients(name: str) -> None:
    split = read_split(artifacts.shipped("calibration", "splits", "tcga-lgg-folds5.json"))
    manifest = read_calibration(artifacts.shipped("calibration", ranges.SETS, f"{name}.json"))
    header = read_checkpoint(networks.get(name).weights).header
    assert set(manifest.patients).isdisjoint(header.validation_patients)
    sites = {entry.patient: entry.institution for entry in split.patients}
    trained = {sites[patient] for patient in header.train_patients}
    assert {sites[patient] for patient in manifest.patients} == trained


def test_ranges_go_stale_with_new_weights(
    recorded: tuple[CalibrationSet, RecordedRanges],
    tiny_checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manifest, found = recorded
    monkeypatch.setattr(artifacts, "shipped", tmp_path.joinpath)
    weights = tmp_path / "models" / found.variant / "weights.safetensors"
    artifacts.write_bytes(weights, tiny_checkpoint.read_bytes())
    assert ranges.ranges_are_stale(weights.parent)
    write_recorded(found, manifest, tmp_path / "calibration")
    assert not ranges.ranges_are_stale(weights.parent)
    other = read_checkpoint(weights)
    write_checkpoint(weights, replace(other.header, epoch=99), other.arrays)
    assert ranges.ranges_are_stale(weights.parent)
