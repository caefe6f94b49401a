from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgeseg.artifacts import sha256_file
from edgeseg.data.slice_file import read_slice
from edgeseg.errors import (
    ArtifactError,
    ContractError,
    DatasetError,
    EdgeSegError,
    ImageError,
    OptionError,
    OutputError,
)
from edgeseg.jsonio import from_json
from edgeseg.results import DONE, FAILED, RunResult
from edgeseg.specs import ChannelSet, Contract, PostProcessing, RunOptions
from edgeseg.stages.segment.inputs import find_cases
from edgeseg.stages.segment.run import run

Write = Callable[..., Path]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results" / "masks"


@pytest.fixture
def model(tiny_onnx: Write) -> Path:
    return tiny_onnx()


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """Two patients in the Kaggle layout; slice 10 of each holds a square, and P2 has slices of two other sizes."""
    root = tmp_path / "kaggle_3m"
    for patient, sizes in (("P1", [(16, 24)] * 3), ("P2", [(40, 30), (32, 48), (40, 30)])):
        for number, (height, width) in zip((1, 2, 10), sizes, strict=True):
            save_slice(root / patient / f"{patient}_{number}.tif", height, width, lesion=number == 10)
            Image.fromarray(np.zeros((height, width), np.uint8)).save(root / patient / f"{patient}_{number}_mask.tif")
    (root / "data.csv").write_text("Patient\n")
    return root


def save_slice(path: Path, height: int = 16, width: int = 24, *, lesion: bool = False) -> NDArray[np.uint8]:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(list(path.stem.encode())).integers(0, 100, (height, width, 3), dtype=np.uint8)
    if lesion:
        image[height // 4 : height // 2, width // 4 : width // 2, 1] = 255
    Image.fromarray(image).save(path)
    return image


def read(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image)


def left_behind(out: Path) -> list[Path]:
    return sorted(out.parent.rglob("*")) if out.parent.exists() else []


def test_masks_and_summary_of_a_folder_of_patients(model: Path, patients: Path, out: Path) -> None:
    result = run(model, [patients], out=out)
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    masks = [f"{p}/{p}_{n}_mask.png" for p in ("P1", "P2") for n in (1, 10, 2)]
    assert files == sorted([*masks, "summary.json"])
    square = np.zeros((16, 24), np.uint8)
    square[4:8, 6:12] = 255
    np.testing.assert_array_equal(read(out / "P1" / "P1_10_mask.png"), square)
    assert not read(out / "P1" / "P1_2_mask.png").any()
    assert read(out / "P2" / "P2_1_mask.png").shape == (40, 30)
    assert read(out / "P2" / "P2_2_mask.png").shape == (32, 48)
    assert set(np.unique(read(out / "P2" / "P2_10_mask.png"))) == {0, 255}
    first, second = result.patients
    assert [entry.slice for entry in first.masks] == ["P1_1", "P1_2", "P1_10"]
    assert (first.slices, first.slices_with_tumour, first.tumour_pixels) == (3, 1, 24)
    assert first.warnings == ()
    assert (second.masks[1].height_px, second.masks[1].width_px) == (32, 48)


def test_the_summary_holds_what_was_run_and_reads_back(model: Path, patients: Path, out: Path) -> None:
    result = run(model, [patients / "P1"], out=out, threads=1)
    text = (out / "summary.json").read_text(encoding="utf-8")
    assert from_json(RunResult, text) == result
    plain = json.loads(text)
    assert plain["schema_version"] == 1
    assert plain["model_sha256"] == sha256_file(model)
    assert plain["contract"]["height"] == 16
    assert plain["threads"] == 1
    assert "Not a medical device" in plain["intended_use"]


def test_tflite_gives_the_same_masks(tiny_onnx: Write, tiny_tflite: Write, patients: Path, tmp_path: Path) -> None:
    run(tiny_onnx(), [patients], out=tmp_path / "a")
    run(tiny_tflite(), [patients], out=tmp_path / "b")
    for mask in (tmp_path / "a").rglob("*.png"):
        np.testing.assert_array_equal(read(mask), read(tmp_path / "b" / mask.relative_to(tmp_path / "a")))


def test_a_loose_slice_belongs_to_its_folder_as_it_does_when_the_folder_is_given(
    model: Path, patients: Path, out: Path
) -> None:
    run(model, [patients / "P1" / "P1_10.tif"], out=out)
    assert [path.name for path in (out / "P1").iterdir()] == ["P1_10_mask.png"]


def test_masks_are_passed_over_and_nothing_counts_twice(patients: Path) -> None:
    (case,) = find_cases([*sorted((patients / "P1").iterdir()), patients / "P1"])
    assert case.patient == "P1"
    assert sorted(path.name for path in case.slices) == ["P1_1.tif", "P1_10.tif", "P1_2.tif"]


def test_slices_are_read_one_at_a_time(model: Path, patients: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    def spy(path: Path, channels: ChannelSet) -> NDArray[np.uint8]:
        events.append("read")
        return read_slice(path, channels)

    monkeypatch.setattr("edgeseg.data.slice_scan.read_slice", spy)
    run(model, [patients], out=out, progress=lambda done, total, label: events.append(f"{done}/{total} {label}"))
    assert events[:4] == ["read", "1/6 P1/P1_1", "read", "2/6 P1/P1_2"]
    assert len(events) == 12


def test_warnings_tell_of_resampling_missing_sequences_and_blank_slices(model: Path, tmp_path: Path, out: Path) -> None:
    folder = tmp_path / "odd"
    image = save_slice(folder / "odd_1.png", 32, 32)
    image[..., 2] = image[..., 1]
    Image.fromarray(image).save(folder / "odd_1.png")
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(folder / "odd_2.png")
    (patient,) = run(model, [folder], out=out).patients
    assert patient.warnings == (
        "1 of 2 slices are 32 x 32 and were resampled to 16 x 24, which changes their proportions",
        "channel 'post' equals 'flair' in every slice: the sequence seems to be missing",
        "1 of 2 slices are blank",
    )


def test_a_slice_that_overlays_read_again_is_counted_once(model: Path, tmp_path: Path, out: Path) -> None:
    folder = tmp_path / "odd"
    save_slice(folder / "odd_1.png", 16, 24)
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(folder / "odd_2.png")
    (patient,) = run(model, [folder], out=out, options=RunOptions(overlays=True)).patients
    assert "1 of 2 slices are blank" in patient.warnings


def test_running_again_replaces_the_masks_and_keeps_other_files(model: Path, patients: Path, out: Path) -> None:
    run(model, [patients / "P1"], out=out)
    (out / "notes.txt").write_text("mine")
    (out / "P1" / "P1_10_mask.png").write_bytes(b"old")
    run(model, [patients / "P1"], out=out)
    assert read(out / "P1" / "P1_10_mask.png").any()
    assert (out / "notes.txt").read_text() == "mine"
    assert not list(out.glob(".*"))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:300])


def deepen(path: Path) -> None:
    Image.fromarray(np.zeros((16, 24), np.uint16)).save(path)


def add_channel(path: Path) -> None:
    Image.fromarray(np.zeros((16, 24, 4), np.uint8)).save(path)


@pytest.mark.parametrize("spoil", [truncate, deepen, add_channel])
def test_the_only_patient_given_names_the_bad_slice_and_leaves_nothing_new(
    model: Path, patients: Path, out: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(patients / "P2" / "P2_10.tif")
    with pytest.raises(ImageError, match=r"P2_10\.tif"):
        run(model, [patients / "P2"], out=out)
    assert left_behind(out) == []


def test_a_failure_leaves_earlier_results_as_they_were(model: Path, patients: Path, out: Path) -> None:
    run(model, [patients], out=out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    truncate(patients / "P2" / "P2_1.tif")
    with pytest.raises(ImageError):
        run(model, [patients / "P2"], out=out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_ctrl_c_leaves_nothing_of_the_patient_under_way(model: Path, patients: Path, out: Path) -> None:
    def interrupt(done: int, total: int | None, label: str) -> None:
        if done == at:
            raise KeyboardInterrupt

    at = 2
    with pytest.raises(KeyboardInterrupt):
        run(model, [patients], out=out, progress=interrupt)
    assert left_behind(out) == []
    at = 4
    with pytest.raises(KeyboardInterrupt):
        run(model, [patients], out=out, progress=interrupt)
    assert sorted(path.name for path in out.iterdir()) == ["P1", "summary.json"]


def test_a_full_disk_is_one_clear_error(
    model: Path, patients: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Image.Image.save
    written: Iterator[int] = iter(range(100))

    def save(self: Image.Image, *args: Any, **kwargs: Any) -> None:
        if next(written) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(self, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "save", save)
    with pytest.raises(OutputError, match="No space left"):
        run(model, [patients], out=out)
    assert left_behind(out) == []


def test_an_output_that_is_a_file(model: Path, patients: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="taken"):
        run(model, [patients], out=tmp_path / "taken")


def test_a_folder_in_the_place_of_a_mask(model: Path, patients: Path, out: Path) -> None:
    (out / "P1" / "P1_1_mask.png").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"P1_1_mask\.png"):
        run(model, [patients / "P1"], out=out)


def test_masks_do_not_go_among_the_slices(model: Path, patients: Path) -> None:
    before = sorted(patients.rglob("*"))
    with pytest.raises(OptionError, match="choose another folder"):
        run(model, [patients], out=patients)
    assert sorted(patients.rglob("*")) == before


def test_an_output_inside_the_input_is_not_taken_for_input(model: Path, patients: Path) -> None:
    for _ in range(2):
        assert len(run(model, [patients], out=patients / "out").patients) == 2


def test_paths_without_slices(tmp_path: Path, patients: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, message in (
        (tmp_path / "empty", "holds no slices"),
        (tmp_path / "absent", "no such file or folder"),
        (patients / "P1" / "P1_1_mask.tif", "only masks"),
    ):
        with pytest.raises(DatasetError, match=message):
            find_cases([path])
    with pytest.raises(DatasetError, match="no slices were given"):
        find_cases([])


def test_two_folders_that_claim_one_patient(patients: Path, tmp_path: Path) -> None:
    save_slice(tmp_path / "other" / "P1" / "P1_1.tif")
    with pytest.raises(DatasetError, match="both claim patient 'P1'"):
        find_cases([patients, tmp_path / "other"])


def test_two_slices_that_would_write_one_mask(model: Path, patients: Path, out: Path) -> None:
    save_slice(patients / "P1" / "P1_1.png")
    with pytest.raises(DatasetError, match=r"P1_1_mask\.png"):
        run(model, [patients / "P1"], out=out)
    rows = {row.patient: row.status for row in run(model, [patients], out=out).patients}
    assert rows == {"P1": FAILED, "P2": DONE}


def test_a_folder_that_links_to_itself_ends(patients: Path) -> None:
    (patients / "P1" / "again").symlink_to(patients)
    assert [case.patient for case in find_cases([patients])] == ["P1", "P2"]


@pytest.mark.parametrize("damage", ["truncated", "no contract", "newer schema", "missing", "a folder"])
def test_bad_models_leave_nothing_new(
    tiny_onnx: Write, tiny_contract: Contract, patients: Path, out: Path, damage: str
) -> None:
    path = tiny_onnx(contract=None if damage == "no contract" else replace(tiny_contract, schema_version=99))
    expected: type[EdgeSegError] = ArtifactError
    if damage in ("no contract", "newer schema"):
        expected = ContractError
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:120])
    elif damage == "missing":
        path.unlink()
    else:
        path.unlink()
        path.mkdir()
    with pytest.raises(expected, match=path.name):
        run(path, [patients], out=out)
    assert left_behind(out) == []


def test_a_folder_is_a_volume_and_files_are_lone_slices(
    tiny_onnx: Write, tiny_contract: Contract, patients: Path, tmp_path: Path
) -> None:
    """The square of slice 10 is 24 pixels: enough for a lone slice, and too few for a volume."""
    spec = PostProcessing(min_area_px=24, min_volume_px=25)
    model = tiny_onnx(contract=replace(tiny_contract, post_processing=spec))
    folder, files = patients / "P1", sorted((patients / "P1").glob("*.tif"))
    (volume,) = run(model, [folder], out=tmp_path / "a").patients
    (alone,) = run(model, files, out=tmp_path / "b").patients
    assert (volume.post_processing, volume.tumour_pixels) == ("volume", 0)
    assert (alone.post_processing, alone.tumour_pixels) == ("slices", 24)
    (both,) = run(model, [*files, folder], out=tmp_path / "c").patients
    assert (both.post_processing, both.tumour_pixels) == ("volume", 0)
    assert [entry.slice for entry in both.masks] == ["P1_1", "P1_2", "P1_10"]


def test_a_contract_that_drops_nothing_is_said_to(model: Path, patients: Path, out: Path) -> None:
    assert {patient.post_processing for patient in run(model, [patients], out=out).patients} == {"none"}


def test_a_volume_whose_slices_differ_in_size_keeps_its_large_components(
    tiny_onnx: Write, tiny_contract: Contract, patients: Path, out: Path
) -> None:
    model = tiny_onnx(contract=replace(tiny_contract, post_processing=PostProcessing(min_share=1.0)))
    plain = run(tiny_onnx(), [patients / "P2"], out=out / "plain").patients[0]
    events: list[str] = []
    (kept,) = run(
        model, [patients / "P2"], out=out / "kept", progress=lambda done, total, label: events.append(f"{done}/{total}")
    ).patients
    assert kept.tumour_pixels == plain.tumour_pixels > 0
    assert [(m.height_px, m.width_px) for m in kept.masks] == [(40, 30), (32, 48), (40, 30)]
    assert events == ["1/3", "2/3", "3/3"]


@pytest.mark.parametrize(
    "name",
    [
        "summary.json", "Summary.JSON", "con", "NUL", "aux.dir", "COM1", "lpt9.x.y", ".edgeseg.lock", ".edgeseg-x",
        "...", "Con ", "com\xb9",
    ],
)  # fmt: skip
def test_a_reserved_name_is_refused_before_the_start(tmp_path: Path, model: Path, out: Path, name: str) -> None:
    save_slice(tmp_path / "data" / "good" / "a.png")
    save_slice(tmp_path / "data" / name / "a.png")
    for paths in ([tmp_path / "data" / "good", tmp_path / "data" / name / "a.png"], [tmp_path / "data" / name]):
        with pytest.raises(OptionError, match="its patient would be called"):
            run(model, paths, out=out)
    assert not out.exists()


@pytest.mark.parametrize("name", ["console", "com", "com10", "nullify", "summary", "a..b", "summary.json.d"])
def test_a_name_that_only_resembles_a_reserved_one_is_taken(tmp_path: Path, model: Path, out: Path, name: str) -> None:
    save_slice(tmp_path / name / "a.png")
    assert run(model, [tmp_path / name], out=out).patients[0].patient == name


def test_a_patients_folder_that_is_a_link_is_refused_before_the_start(
    tmp_path: Path, patients: Path, model: Path, out: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    out.mkdir(parents=True)
    (out / "P2").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match=r"P2: it is a link to another place"):
        run(model, [patients], out=out)
    assert [path.name for path in out.iterdir()] == ["P2"]
    assert list((tmp_path / "elsewhere").iterdir()) == []
