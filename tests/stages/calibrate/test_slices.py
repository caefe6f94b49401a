"""Calibration sets: chosen by rule, written with a hash, refused when the data or the patients are wrong."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg import artifacts
from edgeseg.data.volume import Volume
from edgeseg.errors import DatasetError, OptionError, OutputError, SeenPatientError
from edgeseg.results import CalibrationSet, CalibrationSlice
from edgeseg.specs import LGG, ChannelSet, Contract, VariantSpec, refuse_calibrated, seen_entries
from edgeseg.stages.build.inputs import EVALUATION_START
from edgeseg.stages.calibrate import manifest as calibration_set
from edgeseg.stages.calibrate import slices as calibrate
from edgeseg.stages.calibrate.manifest import slices_of
from edgeseg.stages.calibrate.slices import choose_slices

CONTRACT = Contract(
    variant=VariantSpec(), tier="int8", target="onnx-int8", layout="NCHW", trained_on="phantom", height=16, width=16
)


class Drawn:
    """Patients `P0` to `P11` of three sites: ten slices each, five of them with a lesion of growing area."""

    channels: ChannelSet = LGG
    classes: tuple[str, ...] = ()

    def __init__(self, name: str = "drawn", *, masks: bool = True, seed: int = 0) -> None:
        self.name = name
        self.patients = tuple(sorted(f"P{index}" for index in range(12)))
        self.read: list[str] = []
        self._masks, self._seed = masks, seed

    def institution(self, patient: str) -> str:
        return "ABC"[int(patient[1:]) % 3]

    def volume(self, patient: str) -> Volume:
        self.read.append(patient)
        number = int(patient[1:])
        images = np.random.default_rng((self._seed, number)).integers(0, 256, (10, 12, 12, 3), dtype=np.uint8)
        masks = np.zeros((10, 12, 12), bool)
        for index in range(5):
            masks[index, : index + 1, : number + 1] = True
        return Volume(
            patient=patient,
            institution=self.institution(patient),
            images=images,
            masks=masks if self._masks else None,
            slice_names=tuple(f"{patient}_{index}" for index in range(10)),
        )


def areas(manifest: CalibrationSet, dataset: Drawn) -> list[int]:
    found = []
    for entry in manifest.slices:
        volume = dataset.volume(entry.patient)
        found.append(int(volume.reference[volume.slice_names.index(entry.slice_name)].sum()))
    return found


def test_a_set_spreads_over_lesion_sizes_institutions_and_patients() -> None:
    dataset = Drawn()
    manifest = choose_slices(dataset, slices=24, seed=0)
    sizes = areas(manifest, dataset)
    tumour = sorted(a for p in dataset.patients for a in map(int, dataset.volume(p).reference.sum(axis=(1, 2))) if a)
    small, medium = tumour[len(tumour) // 3], tumour[2 * len(tumour) // 3]
    strata = Counter(0 if a == 0 else 1 + (a >= small) + (a >= medium) for a in sizes)
    assert strata == {0: 6, 1: 6, 2: 6, 3: 6}
    sites = Counter(dataset.institution(entry.patient) for entry in manifest.slices)
    assert set(sites) == {"A", "B", "C"}
    assert min(sites.values()) >= 6
    assert len(manifest.patients) >= 8


def test_the_seed_decides_the_choice_and_nothing_else_does() -> None:
    first = choose_slices(Drawn(), ("P3", "P1", "P2", "P1"), slices=8, seed=1)
    assert first == choose_slices(Drawn(), ("P1", "P2", "P3"), slices=8, seed=1)
    assert first.slices != choose_slices(Drawn(), ("P1", "P2", "P3"), slices=8, seed=2).slices
    assert set(first.patients) <= {"P1", "P2", "P3"}


def test_the_usual_number_is_cut_down_to_what_is_there_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    assert len(choose_slices(Drawn(), ("P1",), slices=None, seed=0).slices) == 10
    assert "the 1 patients to choose from hold 10 slices, fewer than the usual 128" in caplog.text


def test_all_slices_can_be_chosen_and_no_more_or_fewer_than_there_are() -> None:
    assert len(choose_slices(Drawn(), ("P1",), slices=10, seed=0).slices) == 10
    for count in (0, -1, 11):
        with pytest.raises(OptionError, match=rf"{count} calibration slices .* hold 10; ask for 1 to 10"):
            choose_slices(Drawn(), ("P1",), slices=count, seed=0)
    with pytest.raises(DatasetError, match="holds no patient 'P99'"):
        choose_slices(Drawn(), ("P1", "P99"), slices=1, seed=0)


def test_data_without_masks_can_calibrate() -> None:
    assert len(choose_slices(Drawn(masks=False), slices=12, seed=0).patients) == 12


def test_choosing_reports_progress() -> None:
    seen: list[tuple[int, int | None]] = []
    choose_slices(Drawn(), ("P1", "P2"), slices=1, seed=0, progress=lambda done, total, _: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_the_slices_come_back_in_the_order_of_the_manifest_each_patient_read_once() -> None:
    dataset = Drawn()
    manifest = choose_slices(dataset, slices=20, seed=0)
    dataset.read.clear()
    images = list(slices_of(manifest, dataset))
    assert {image.shape for image in images} == {(12, 12, 3)}
    assert {image.dtype for image in images} == {np.dtype(np.uint8)}
    assert len(images) == 20
    assert len(dataset.read) == len(set(dataset.read))
    entry = manifest.slices[7]
    volume = dataset.volume(entry.patient)
    assert np.array_equal(images[7], volume.images[volume.slice_names.index(entry.slice_name)])


def test_the_network_input_has_the_size_and_range_of_the_contract() -> None:
    dataset = Drawn()
    values = np.stack(list(calibration_set.network_inputs(choose_slices(dataset, slices=5, seed=0), dataset, CONTRACT)))
    assert values.shape == (5, 16, 16, 3)
    assert values.dtype == np.float32
    assert 0.0 <= values.min() < 0.3 < 0.7 < values.max() <= 1.0


def test_changed_pixels_are_refused_in_stored_data_and_reported_in_phantoms(caplog: pytest.LogCaptureFixture) -> None:
    manifest = choose_slices(Drawn(), slices=5, seed=0)
    with pytest.raises(DatasetError, match="SHA-256 differs"):
        list(slices_of(manifest, Drawn(seed=1)))
    phantom = choose_slices(Drawn(name="phantom"), slices=5, seed=0)
    with caplog.at_level(logging.WARNING):
        list(slices_of(phantom, Drawn(name="phantom", seed=1)))
    assert "differ in some pixels" in caplog.text


def test_a_missing_patient_or_slice_is_named() -> None:
    manifest = choose_slices(Drawn(), slices=3, seed=0)
    gone = replace(manifest, slices=(CalibrationSlice(patient="Q1", slice_name="Q1_0"),))
    with pytest.raises(DatasetError, match="holds no patient 'Q1'"):
        list(slices_of(gone, Drawn()))
    gone = replace(manifest, slices=(CalibrationSlice(patient="P1", slice_name="P1_77"),))
    with pytest.raises(DatasetError, match="P1 has no slice 'P1_77'"):
        list(slices_of(gone, Drawn()))


def test_slices_of_several_sizes_come_to_the_network_in_one() -> None:
    class Mixed(Drawn):
        def volume(self, patient: str) -> Volume:
            volume = super().volume(patient)
            return volume if patient != "P1" else replace(volume, images=volume.images[:, :8])

    manifest = choose_slices(Mixed(), ("P1", "P2"), slices=20, seed=0)
    assert {image.shape for image in slices_of(manifest, Mixed())} == {(8, 12, 3), (12, 12, 3)}
    assert {image.shape for image in calibration_set.network_inputs(manifest, Mixed(), CONTRACT)} == {(16, 16, 3)}


def test_one_patient_is_in_memory_at_a_time() -> None:
    dataset = Drawn()
    manifest = choose_slices(dataset, ("P1", "P2", "P3"), slices=30, seed=0)
    dataset.read.clear()
    reader = slices_of(manifest, dataset)
    next(reader)
    assert dataset.read == ["P1"]


def test_evaluating_on_a_calibration_patient_is_refused() -> None:
    manifest = choose_slices(Drawn(), ("P1", "P2"), slices=20, seed=0)
    refuse_calibrated(("P3", "P4"), seen_entries(manifest.patients, key=None))
    with pytest.raises(SeenPatientError, match="patient P1 and 1 more would be evaluated on"):
        refuse_calibrated(("P3", "P2", "P1"), seen_entries(manifest.patients, key=None))


def test_a_manifest_survives_its_file_and_bad_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    manifest = choose_slices(Drawn(), slices=3, seed=0)
    calibration_set.write_calibration(manifest, path)
    assert calibration_set.read_calibration(path) == manifest
    plain = json.loads(path.read_text())
    for change, message in (
        ({"slices": []}, "holds no slices"),
        ({"slices": plain["slices"] + plain["slices"][:1]}, "names a slice twice"),
        ({"schema_version": 9}, "schema version 9"),
        ({"seed": "x"}, r"\$.seed"),
    ):
        path.write_text(json.dumps(plain | change))
        with pytest.raises(DatasetError, match=message):
            calibration_set.read_calibration(path)
    path.write_text("{")
    with pytest.raises(DatasetError, match="not a calibration set"):
        calibration_set.read_calibration(path)
    with pytest.raises(DatasetError, match="cannot be read"):
        calibration_set.read_calibration(tmp_path / "absent.json")
    with pytest.raises(OutputError):
        calibration_set.write_calibration(manifest, path / "below-a-file.json")


def test_the_shipped_phantom_set_is_balanced_and_kept_from_evaluation() -> None:
    manifest = calibrate.shipped_phantom_set()
    data = calibrate.phantom_calibration_data()
    assert manifest.data == data.name == "phantom"
    assert len(manifest.slices) == calibrate.DEFAULT_SLICES
    assert set(manifest.patients) == set(data.patients)
    assert {data.institution(patient) for patient in manifest.patients} == {"PA", "PB", "PC", "PD"}
    numbers = [int(patient.rsplit("_", 1)[1]) for patient in manifest.patients]
    assert max(numbers) < EVALUATION_START


def test_the_shipped_phantom_set_names_slices_that_the_generator_makes() -> None:
    manifest = calibrate.shipped_phantom_set()
    data = calibrate.phantom_calibration_data()
    patient = manifest.patients[0]
    names = {entry.slice_name for entry in manifest.slices if entry.patient == patient}
    assert names <= set(data.volume(patient).slice_names)
    assert artifacts.shipped("calibration", "phantom.json").is_file()
