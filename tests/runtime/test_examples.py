"""The examples of docs/how-to/use-from-python.md run as they stand, with a tiny network in the place of `light`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-from-python.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


def test_each_kind_of_input_has_its_example() -> None:
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("number", range(5))
def test_an_example_runs(
    number: int,
    tiny_onnx: Callable[..., Path],
    write_nifti: Callable[..., Path],
    write_dicom: Callable[..., Path],
    scan_values: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tiny_onnx("model.onnx")
    (tmp_path / "salt.key").write_text("0846cbfff1b6bee660e133ccff2ce7d9\n")
    for name, values in scan_values.items():
        file = write_nifti(f"{name}.nii.gz", values)
        write_dicom(f"study/{name}", values, description={"pre": "T1", "post": "T1 GD"}.get(name, "FLAIR"))
    four = np.stack([np.asarray(scan_values[name]).transpose(2, 1, 0) for name in ("flair", "pre", "post")], axis=3)
    nibabel.save(nibabel.Nifti1Image(four, nibabel.load(file).affine), tmp_path / "all.nii.gz")
    (tmp_path / "patient").mkdir()
    bright = np.where(scan_values["flair"] > 1000, 255, 40).astype(np.uint8)
    for index, plane in enumerate(bright):
        Image.fromarray(np.stack([plane // 2, plane, plane // 2], axis=2)).save(tmp_path / "patient" / f"{index}.png")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    example = EXAMPLES[number].replace('load("light")', 'load("model.onnx")')
    exec(compile(example, str(PAGE), "exec"), names)
    if "scan" in names or number == 4:
        masks = names["masks"] if "masks" in names else names["found"].mask[np.newaxis]
        assert masks.dtype == np.bool_
        assert masks.shape[1:] == (32, 48)
        assert "masks" not in names or masks[2:4].any()
