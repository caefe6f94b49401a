from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from edgeseg.cli.run import run
from edgeseg.errors import CheckFailedError, DatasetError, OutputError
from edgeseg.jsonio import from_json
from edgeseg.results import RunResult

app = typer.Typer()
app.command()(run)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """One slice of 32 x 48 with a square of 8 x 12 pixels, whose corners resampling may round off."""
    folder = tmp_path / "a[b]"
    folder.mkdir()
    image = np.zeros((32, 48, 3), np.uint8)
    image[8:16, 12:24, 1] = 255
    Image.fromarray(image).save(folder / "slice_1.tif")
    return folder


def tumour_pixels(out: Path) -> int:
    with Image.open(out / "a[b]" / "slice_1_mask.png") as mask:
        pixels = int(np.count_nonzero(np.asarray(mask)))
    assert 80 < pixels <= 96
    return pixels


def test_the_table_fits_80_columns_and_says_what_ran(
    tiny_onnx: Callable[..., Path], case: Path, tmp_path: Path
) -> None:
    done = CliRunner().invoke(app, [str(tiny_onnx()), str(case), "--out", str(tmp_path / "out"), "--threads", "1"])
    assert done.exit_code == 0, done.output
    head, row = done.stdout.splitlines()[:2]
    assert head.split()[:2] == ["patient", "slices"]
    assert row.split()[:4] == ["a[b]", "1", "1", str(tumour_pixels(tmp_path / "out"))]
    assert (
        max(len(line) for line in done.stdout.splitlines() if str(tmp_path) not in line and "a[b]:" not in line) <= 80
    )
    assert "were resampled to 16 x 24" in done.stderr
    assert "not used" not in done.stdout
    assert "1 thread, float32" in done.stdout
    assert "Not a medical device" in done.stdout
    assert (tmp_path / "out" / "a[b]" / "slice_1_mask.png").is_file()


def test_several_formats_are_given_with_commas(tiny_onnx: Callable[..., Path], case: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, [str(tiny_onnx()), str(case), "--out", str(out), "--format", "png, tiff"])
    assert done.exit_code == 0, done.output
    assert {path.suffix for path in (out / "a[b]").iterdir()} == {".png", ".tiff"}


def test_json_is_the_summary_and_nothing_else(
    tiny_onnx: Callable[..., Path], case: Path, tmp_path: Path, check_schema: Callable[[str, str], None]
) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, [str(tiny_onnx()), str(case / "slice_1.tif"), "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    assert from_json(RunResult, done.stdout) == from_json(RunResult, (out / "summary.json").read_text())
    assert "a[b]: 1 of 1 slices are 32 x 48 and were resampled to 16 x 24" in done.stderr.splitlines()
    check_schema("run", done.stdout)
    assert json.loads(done.stdout)["patients"][0]["tumour_pixels"] == tumour_pixels(out)


def test_errors_pass_through_to_main(tiny_onnx: Callable[..., Path], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [str(tiny_onnx()), str(tmp_path / "absent"), "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, DatasetError)
    assert not (tmp_path / "out").exists()


def test_an_output_folder_is_asked_for(tiny_onnx: Callable[..., Path], case: Path) -> None:
    assert CliRunner().invoke(app, [str(tiny_onnx()), str(case)]).exit_code == 2


def test_a_list_needs_no_model_and_says_why(
    write_dicom: Callable[..., Path],
    scan_values: dict[str, Any],
    tmp_path: Path,
    check_schema: Callable[[str, str], None],
) -> None:
    for name, words in (("flair", "AX FLAIR"), ("pre", "t2_tse_tra"), ("post", "T1 Zyxwvu KM")):
        write_dicom(f"study/{name}", scan_values[name], description=words, SeriesNumber=len(name))
    done = CliRunner().invoke(app, [str(tmp_path / "study"), "--list"])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "5  'AX FLAIR'  axial, 6 slices: flair (word 'flair')",
        "4  'T1 ... KM'  axial, 6 slices: post (word 't1', word 'km')",
        "3  't2_tse_tra'  axial, 6 slices: t2 (word 't2')",
    ]
    told = CliRunner().invoke(app, ["model.onnx", str(tmp_path / "study"), "--list", "--json"]).stdout
    check_schema("run-list", told)
    assert [one["taken_for"] for one in json.loads(told)["series"]] == ["flair", "post", "t2"]
    assert "Zyxwvu" not in told + done.stdout


def make_patients(root: Path, *names: str) -> Path:
    image = np.zeros((32, 48, 3), np.uint8)
    image[8:16, 12:24, 1] = 255
    for name in names:
        (root / name).mkdir(parents=True)
        Image.fromarray(image).save(root / name / "slice_1.tif")
    return root


def test_one_who_fails_is_named_and_the_exit_code_is_1(tiny_onnx: Callable[..., Path], tmp_path: Path) -> None:
    root, out = make_patients(tmp_path / "in", "A", "B", "C"), tmp_path / "out"
    (root / "B" / "slice_1.tif").write_bytes(b"II*\0")
    done = CliRunner().invoke(app, [str(tiny_onnx()), str(root), "--out", str(out)])
    assert isinstance(done.exception, CheckFailedError)
    assert "1 of 3 patients failed (B); the others are in" in str(done.exception)
    assert done.exception.exit_code == 1
    assert "failed: B: " in done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[1:3]] == ["A", "C"]
    again = CliRunner().invoke(app, [str(tiny_onnx()), str(root / "A"), "--out", str(out), "--resume"])
    assert again.exit_code == 0, again.output
    assert "with 3 patients of earlier runs" in again.stdout
    alone = CliRunner().invoke(app, [str(tiny_onnx()), str(root), "--out", str(out), "--resume"])
    assert "1 of 1 patients failed (B); mend or leave out" in str(alone.exception)


def test_csv_does_not_take_the_place_of_the_summary(tiny_onnx: Callable[..., Path], tmp_path: Path) -> None:
    root, out = make_patients(tmp_path / "in", "A"), tmp_path / "out"
    command = [str(tiny_onnx()), str(root), "--out", str(out)]
    assert CliRunner().invoke(app, command).exit_code == 0
    before = (out / "summary.json").read_bytes()
    done = CliRunner().invoke(app, [*command, "--csv", str(out / "summary.json")])
    assert done.exit_code != 0
    assert (out / "summary.json").read_bytes() == before


def test_csv_has_a_line_per_patient_and_no_formula(tiny_onnx: Callable[..., Path], tmp_path: Path) -> None:
    root, out, table = make_patients(tmp_path / "in", "=1+1", "B", "C"), tmp_path / "out", tmp_path / "new" / "all.csv"
    (root / "C" / "slice_1.tif").write_bytes(b"II*\0")
    options = ["--out", str(out), "--csv", str(table), "--spacing", "1,1,5"]
    CliRunner().invoke(app, [str(tiny_onnx()), str(root), *options])
    first, second, third = csv.DictReader(table.read_text().splitlines())
    assert (first["patient"], second["patient"], third["patient"]) == ("'=1+1", "B", "C")
    assert (second["status"], second["slices"], third["status"], third["slices"]) == ("done", "1", "failed", "")
    assert float(second["tumour_volume_ml"]) > 0
    assert "slice_1.tif" in third["reason"]


def test_csv_names_masks_and_pictures_alike(tiny_onnx: Callable[..., Path], tmp_path: Path) -> None:
    root, out, table = make_patients(tmp_path / "in", "A"), tmp_path / "out", tmp_path / "all.csv"
    CliRunner().invoke(app, [str(tiny_onnx()), str(root), "--out", str(out), "--csv", str(table), "--overlays"])
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert row["files"] == "A/slice_1_mask.png; A/A_contact_sheet.png"


def test_a_table_that_cannot_be_written_is_refused_before_the_work(
    tiny_onnx: Callable[..., Path], case: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, [str(tiny_onnx()), str(case), "--out", str(out), "--csv", str(tmp_path)])
    assert isinstance(done.exception, OutputError)
    assert not out.exists()
