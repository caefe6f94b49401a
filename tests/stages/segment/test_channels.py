"""Networks of other channels than TCGA-LGG's through `run`: files by name, by evidence, 4-D, pictures, and errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgeseg.errors import ContractError, DatasetError, ImageError, OptionError
from edgeseg.specs import Contract, RunOptions
from edgeseg.stages.segment.run import run

Write = Callable[..., Path]
FOUR = ("t1", "t1ce", "t2", "flair")


@pytest.fixture
def four(tiny_onnx: Write, tiny_contract: Contract) -> Path:
    """Finds tumour where T2 is bright; nothing may stand in."""
    contract = replace(tiny_contract, channels=FOUR, reference_channel="t2").versioned()
    return tiny_onnx("four.onnx", contract, weights=(0.0, 0.0, 20.0, 0.0))


@pytest.fixture
def grey(tiny_onnx: Write, tiny_contract: Contract) -> Path:
    """Finds tumour where its one channel is bright."""
    return tiny_onnx("grey.onnx", replace(tiny_contract, channels=("us",)), weights=(20.0,))


@pytest.fixture
def values(scan_values: dict[str, Any]) -> dict[str, NDArray[np.int16]]:
    """Of the four; T2 alone has the bright block."""
    return {
        "t1": scan_values["pre"],
        "t1ce": scan_values["post"],
        "t2": scan_values["flair"],
        "flair": scan_values["pre"],
    }


def write(path: Path, values: NDArray[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.transpose(values, (2, 1, 0)), np.diag([-1.0, -1.0, 5.0, 1.0])), path)
    return path


def tumour(found: Any) -> list[int]:
    return [one.tumour_pixels > 0 for one in found.masks]


def test_each_channel_is_found_by_its_name_in_a_folder(four: Path, values: dict[str, Any], tmp_path: Path) -> None:
    for name, one in values.items():
        write(tmp_path / "case" / f"BraTS20_001_{name}.nii.gz", one)
    (found,) = run(four, [tmp_path / "case"], out=tmp_path / "out").patients
    assert [one.sequence for one in found.used] == list(FOUR)
    assert tumour(found) == [False, False, True, True, False, False]
    assert not any("not given" in one for one in found.warnings)


def test_a_channel_that_is_missing_is_an_error_where_nothing_stands_in(
    four: Path, values: dict[str, Any], tmp_path: Path
) -> None:
    for name in ("t1", "t2", "flair"):
        write(tmp_path / "case" / f"{name}.nii.gz", values[name])
    with pytest.raises(DatasetError, match="is 't1ce' by its name, and 't1ce' is needed; name them with --t1, --t1ce"):
        run(four, [tmp_path / "case"], out=tmp_path / "out")
    files = {name: tmp_path / "case" / f"{name}.nii.gz" for name in ("t1", "t2", "flair")}
    with pytest.raises(DatasetError, match="'t1ce' is missing, and nothing may stand in for it; name it with --t1ce"):
        run(four, out=tmp_path / "out", options=RunOptions(sequences=files))
    assert not (tmp_path / "out" / "summary.json").exists()


def test_the_contract_says_what_stands_in(
    tiny_onnx: Write, tiny_contract: Contract, values: dict[str, Any], tmp_path: Path
) -> None:
    contract = replace(tiny_contract, channels=("t1", "t2"), reference_channel="t2", stand_in="t2").versioned()
    model = tiny_onnx("two.onnx", contract, weights=(20.0, 0.0))
    path = write(tmp_path / "t2.nii.gz", values["t2"])
    (found,) = run(model, out=tmp_path / "out", options=RunOptions(sequences={"t2": path})).patients
    assert "'t1' was not given: 't2' stands in its place, as in the training data" in found.warnings
    assert tumour(found)[2:4] == [True, True]


def test_a_file_of_four_volumes_has_the_contracts_order(four: Path, values: dict[str, Any], tmp_path: Path) -> None:
    stack = np.stack([np.transpose(values[name], (2, 1, 0)) for name in FOUR], axis=3)
    path = tmp_path / "all.nii.gz"
    nibabel.save(nibabel.Nifti1Image(stack, np.diag([-1.0, -1.0, 5.0, 1.0])), path)
    (found,) = run(four, [path], out=tmp_path / "out").patients
    assert tumour(found)[2:4] == [True, True]
    with pytest.raises(
        OptionError, match="choose each of t1, t1ce, t2, flair at most once, t1, t1ce, t2, flair always"
    ):
        run(four, [path], out=tmp_path / "out2", options=RunOptions(volumes=("t1", "t1ce", "-", "flair")))


@pytest.mark.parametrize("numbered", [True, False])
def test_a_network_of_one_channel_takes_grey_pictures_and_volumes(
    grey: Path, values: dict[str, Any], tmp_path: Path, *, numbered: bool
) -> None:
    image = np.zeros((16, 24), np.uint8)
    image[2:6, 3:9] = 255
    (tmp_path / "p").mkdir()
    Image.fromarray(image).save(tmp_path / "p" / "s_1.png")
    (found,) = run(grey, [tmp_path / "p"], out=tmp_path / "out").patients
    assert found.tumour_pixels == 24
    path = write(tmp_path / ("case_0000.nii.gz" if numbered else "us.nii.gz"), values["t2"])
    (found,) = run(grey, [path], out=tmp_path / "out3").patients
    assert tumour(found)[2:4] == [True, True]
    Image.fromarray(np.dstack([image] * 3)).save(tmp_path / "p" / "s_2.png")
    with pytest.raises(ImageError, match=r"a slice is one frame of one 8-bit channel \(us\); save it in grey"):
        run(grey, [tmp_path / "p" / "s_2.png"], out=tmp_path / "out2")


def test_pictures_hold_four_channels_at_most(tiny_onnx: Write, tiny_contract: Contract, tmp_path: Path) -> None:
    model = tiny_onnx("five.onnx", replace(tiny_contract, channels=tuple("abcde")), weights=(20.0,) * 5)
    Image.new("RGB", (24, 16)).save(tmp_path / "s.png")
    with pytest.raises(ImageError, match="at most 4 channels, and 5 are needed; name a file for each with --a, --b"):
        run(model, [tmp_path / "s.png"], out=tmp_path / "out")


def test_numbered_files_go_by_their_numbers(four: Path, values: dict[str, Any], tmp_path: Path) -> None:
    for number, name in enumerate(FOUR):
        write(tmp_path / "case" / f"case_7_{number:04d}.nii.gz", values[name])
    (found,) = run(four, [tmp_path / "case"], out=tmp_path / "out").patients
    assert tumour(found)[2:4] == [True, True]
    assert found.used[0].evidence == ("number 0000 in its name",)


def test_channels_of_a_picture_that_the_network_lacks_are_refused(four: Path, tmp_path: Path) -> None:
    Image.new("RGB", (24, 16)).save(tmp_path / "s.png")
    with pytest.raises((ImageError, ContractError), match=r"four 8-bit channels \(t1, t1ce, t2, flair\)"):
        run(four, [tmp_path / "s.png"], out=tmp_path / "out")
