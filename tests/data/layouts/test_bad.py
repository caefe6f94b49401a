"""What can be wrong with a set of one's own: each is one clear error that names the file, the rule and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from edgeseg.cli.main import app
from edgeseg.data.cache import cached
from edgeseg.data.open import open_dataset
from edgeseg.data.sampler import Sampler
from edgeseg.errors import DatasetError, SplitError
from edgeseg.specs import TrainSpec, VariantSpec

ROOT = Path(__file__).parents[3]
Spoil = Callable[[ModuleType, Path], None]


def _other_label(own: ModuleType, root: Path) -> None:
    own.write_nifti(root / "labelsTr" / "case_000.nii.gz", np.full((8, 64, 64), 7, np.uint8))


def _no_channel(own: ModuleType, root: Path) -> None:
    (root / "imagesTr" / "case_001_0001.nii.gz").unlink()


def _other_grid(own: ModuleType, root: Path) -> None:
    own.write_nifti(root / "labelsTr" / "case_000.nii.gz", np.zeros((8, 32, 64), np.uint8))


def _five_axes(own: ModuleType, root: Path) -> None:
    import nibabel

    volume = nibabel.Nifti1Image(np.zeros((8, 8, 4, 2, 3), np.int16), np.eye(4))
    nibabel.save(volume, root / "imagesTr" / "case_000_0000.nii.gz")


def _no_number(own: ModuleType, root: Path) -> None:
    import nibabel

    path = root / "imagesTr" / "case_000_0001.nii.gz"
    there = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(np.full(there.shape, np.nan, np.float32), there.affine), path)


def _one_value(own: ModuleType, root: Path) -> None:
    import nibabel

    path = root / "imagesTr" / "case_000_0001.nii.gz"
    there = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(np.full(there.shape, 7, np.int16), there.affine), path)


def _colour(own: ModuleType, root: Path) -> None:
    Image.new("RGB", (64, 64), (9, 99, 200)).save(root / "images" / "patient_000" / "frame_2.png")


def _first_in_colour(own: ModuleType, root: Path) -> None:
    Image.new("RGB", (64, 64), (9, 99, 200)).save(root / "images" / "patient_000" / "frame_1.png")


def _absent(own: ModuleType, root: Path) -> None:
    told = json.loads((root / "dataset.json").read_text())
    told["labels"]["cyst"] = 9
    (root / "dataset.json").write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(
            {"labels": {"0": "background", "1" * 5000: "tumour"}}, "a whole number or a list", id="long label"
        ),
        pytest.param({"channel_names": {"0": {"T1": 1}, "1": "FLAIR", "2": "T2"}}, "channel_names is", id="no name"),
    ],
)
def test_a_list_of_channels_and_labels_is_one_error(
    change: dict[str, object], told: str, script: Callable[[Path], ModuleType], tmp_path: Path
) -> None:
    root = tmp_path / "set"
    script(ROOT / "tools" / "own_data.py").main(["nnunet", str(root), "--patients", "1"])
    path = root / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DatasetError, match=told):
        open_dataset(root)


@pytest.mark.parametrize(
    ("layout", "spoil", "told"),
    [
        pytest.param("nnunet", _other_label, "holds 7, and the labels of this set are 0, 1, 2, 3", id="unknown label"),
        pytest.param("nnunet", _no_channel, "channel 'flair' is missing", id="missing channel"),
        pytest.param("nnunet", _other_grid, "masks are never resampled", id="another grid"),
        pytest.param("nnunet", _five_axes, "is no volume; 3-D or 4-D is needed", id="five axes"),
        pytest.param("nnunet", _no_number, "channel 'flair' has one value in every voxel", id="no number"),
        pytest.param("nnunet", _one_value, "channel 'flair' has one value in every voxel", id="one value"),
        pytest.param("grey", _colour, "save it as grey", id="colour among grey"),
        pytest.param("grey", _first_in_colour, "save it as grey", id="the first in colour"),
        pytest.param("nnunet", _absent, "no patient has this class", id="absent class"),
    ],
)
def test_verify_names_it_once(
    layout: str, spoil: Spoil, told: str, script: Callable[[Path], ModuleType], tmp_path: Path
) -> None:
    own, root = script(ROOT / "tools" / "own_data.py"), tmp_path / "set"
    own.main([layout, str(root), "--patients", "3"])
    spoil(own, root)
    result = CliRunner().invoke(app, ["data", "verify", str(root), "--json"])
    found = json.loads(result.stdout)
    assert (result.exit_code, found["errors"]) == (1, 1)
    assert told in found["findings"][0]["message"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("patient,one\np,a.png\n", "column 'mask' is missing", id="missing column"),
        pytest.param("patient,one,mask\np,../a.png,m.png\n", "leads out of its folder", id="outside"),
        pytest.param("patient,one,mask\np,/etc/a.png,m.png\n", "leads out of its folder", id="absolute"),
        pytest.param("patient,one,mask\np,a\0.png,m.png\n", "there can be no file", id="no name"),
        pytest.param(f"patient,one,mask\np,{'a' * 300}.png,m.png\n", "there can be no file", id="long name"),
        pytest.param("patient,site,one,mask\np,A,a.png,m.png\np,B,b.png,n.png\n", "is of two sites", id="two sites"),
    ],
)
@pytest.mark.parametrize("command", ["verify", "info", "split"])
def test_a_list_is_refused_with_one_error(command: str, text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(text)
    result = CliRunner().invoke(app, ["data", command, str(tmp_path / "list.csv")])
    assert isinstance(result.exception, DatasetError)
    assert result.exception.exit_code == 2
    assert told in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]
    folder = CliRunner().invoke(app, ["data", command, str(tmp_path)])
    assert str(folder.exception) == str(result.exception)


def test_training_refuses_a_class_that_no_patient_has(script: Callable[[Path], ModuleType], tmp_path: Path) -> None:
    own, root = script(ROOT / "tools" / "own_data.py"), tmp_path / "set"
    own.main(["nnunet", str(root), "--patients", "2"])
    _absent(own, root)
    cache = cached(open_dataset(root), "key", root=tmp_path)
    with pytest.raises(SplitError, match="2 training patients has the class 'cyst', so nothing can learn it"):
        Sampler.of(cache, cache.patients, TrainSpec(variant=VariantSpec(), epochs=1))
