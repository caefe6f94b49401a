from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from edgeseg.cli._data import Layout
from edgeseg.cli.data import app
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.layouts.table import LAYOUTS
from edgeseg.data.split import Split, read_split
from edgeseg.data.summary import DataSummary
from edgeseg.data.verify import VerifyResult
from edgeseg.data.volume import Volume
from edgeseg.errors import DatasetError, MissingExtraError, OptionError, OutputError
from edgeseg.jsonio import from_json
from edgeseg.specs import LGG, ChannelSet

FIRST = "TCGA_AA_0001_20000101"


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def fits(text: str) -> bool:
    return max(len(line) for line in text.splitlines()) <= 80


class SmallPhantoms:
    """Stands in for `PhantomDataset`: 8 x 8 volumes whose first pixel is the seed."""

    channels: ChannelSet = LGG
    classes: tuple[str, ...] = ()
    name = "phantom"

    def __init__(self, patients: int, seed: int) -> None:
        self.patients = tuple(f"PHANTOM_PA_{index:04}" for index in range(patients))
        self.seed = seed

    def institution(self, patient: str) -> str:
        return "PA"

    def volume(self, patient: str) -> Volume:
        images = np.full((3, 8, 8, 3), self.seed, dtype=np.uint8)
        masks = np.zeros((3, 8, 8), dtype=np.bool_)
        masks[1, 2:4, 2:4] = True
        names = tuple(f"{patient}_{number}" for number in (1, 2, 3))
        return Volume(patient=patient, institution="PA", images=images, masks=masks, slice_names=names)


def test_phantom_writes_the_kaggle_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeseg.data.phantom.PhantomDataset", SmallPhantoms)
    result = run("phantom", tmp_path / "set", "--patients", 2, "--seed", 3, "--json")
    summary = from_json(DataSummary, result.stdout)
    assert (summary.data, summary.patients, summary.slices, summary.tumour_slices) == ("phantom", 2, 6, 2)
    dataset = KaggleLgg(tmp_path / "set")
    assert dataset.volume(dataset.patients[0]).images[0, 0, 0, 0] == 3
    with pytest.raises(OutputError, match="not empty"):
        run("phantom", tmp_path / "set")
    assert [entry.name for entry in tmp_path.iterdir()] == ["set"]


def test_phantom_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(SmallPhantoms):
        def volume(self, patient: str) -> Volume:
            if patient.endswith("1"):
                raise KeyboardInterrupt
            return super().volume(patient)

    monkeypatch.setattr("edgeseg.data.phantom.PhantomDataset", Broken)
    assert run("phantom", tmp_path / "set", "--patients", 2).exit_code != 0
    assert list(tmp_path.iterdir()) == []


def test_verify_passes_sound_data(tiny_lgg: Path) -> None:
    result = run("verify", tiny_lgg)
    assert result.exit_code == 0
    assert "6 patients, 32 readable slices, 0 error(s)" in result.stdout


def test_verify_names_faults_and_fails(tiny_lgg: Path) -> None:
    (tiny_lgg / "kaggle_3m" / FIRST / f"{FIRST}_5_mask.tif").unlink()
    result = run("verify", tiny_lgg)
    assert result.exit_code == 1
    assert f"{FIRST}_5.tif: this slice has no mask" in result.stdout
    result = run("verify", tiny_lgg, "--json")
    assert result.exit_code == 1
    verdict = from_json(VerifyResult, result.stdout)
    assert [finding.kind for finding in verdict.findings] == ["missing-mask"]


def test_verify_says_a_repeated_fault_once(tiny_lgg: Path) -> None:
    for mask in (tiny_lgg / "kaggle_3m").glob("*/*_mask.tif"):
        mask.unlink()
    lines = run("verify", tiny_lgg).stdout.splitlines()
    assert len(lines) == 2
    assert " and 31 more: this slice has no mask" in lines[0]


def test_verify_passes_with_warnings(tiny_lgg: Path) -> None:
    folder = tiny_lgg / "kaggle_3m" / FIRST
    shutil.copy(folder / f"{FIRST}_5.tif", folder / f"{FIRST}_6.tif")
    result = run("verify", tiny_lgg)
    assert result.exit_code == 0
    assert "1 warning" in result.stdout


def test_info_prints_a_table_and_json(tiny_lgg: Path) -> None:
    text = run("info", tiny_lgg).stdout
    assert fits(text)
    assert "64 x 64 (32)" in text
    summary = from_json(DataSummary, run("info", tiny_lgg, "--json").stdout)
    assert f"{summary.all_background_accuracy:.2%} pixel accuracy" in text
    assert summary.all_background_accuracy + summary.tumour_pixel_share == pytest.approx(1.0)


def test_split_writes_what_it_prints(tiny_lgg: Path, tmp_path: Path) -> None:
    out = tmp_path / "folds.json"
    result = run("split", tiny_lgg, "--folds", 3, "--seed", 7, "--out", out, "--json")
    split = from_json(Split, result.stdout)
    assert split == read_split(out)
    assert (split.seed, len(split.folds)) == (7, 3)
    text = run("split", tiny_lgg, "--check", out).stdout
    assert fits(text.replace(str(tiny_lgg), "").replace(str(out), ""))
    assert "3 folds of kaggle-lgg, seed 7" in text


def test_split_keeps_a_manifest_that_is_there(tiny_lgg: Path, tmp_path: Path) -> None:
    out = tmp_path / "folds.json"
    out.write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        run("split", tiny_lgg, "--folds", 2, "--out", out)
    assert out.read_text() == "mine"
    run("split", tiny_lgg, "--folds", 2, "--out", out, "--force")
    assert len(read_split(out).folds) == 2
    with pytest.raises(OptionError, match="--check makes nothing"):
        run("split", tiny_lgg, "--check", out, "--force")


def test_split_without_out_says_so(tiny_lgg: Path) -> None:
    assert "Nothing was written" in run("split", tiny_lgg, "--folds", 2).stdout


@pytest.mark.parametrize("command", ["verify", "info", "split"])
def test_missing_folder_is_one_error(tmp_path: Path, command: str) -> None:
    with pytest.raises(DatasetError, match="no such folder") as caught:
        run(command, tmp_path / "none")
    assert caught.value.exit_code == 2


def test_fetch_without_the_client_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as caught:
        run("fetch", tmp_path / "set", "--json")
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_json_is_the_only_thing_on_stdout(tiny_lgg: Path) -> None:
    for command in ("verify", "info", "split"):
        assert json.loads(run(command, tiny_lgg, "--json").stdout)["schema_version"] == 1


def test_the_help_of_layout_names_all_of_them() -> None:
    said = re.findall(r"[a-z-]+", get_args(Layout)[1].help)
    assert set(LAYOUTS) <= set(said)
