from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from edgeseg.service.masks import runs
from edgeseg.specs import INTENDED_USE, SEGMENT_ROUTE, Contract

Call = Callable[..., httpx.Response]
Picture = Callable[..., bytes]
TUMOUR = np.zeros((16, 24), np.bool_)
TUMOUR[2:6, 3:9] = True


def _mask(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) > 0


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_picture_comes_back_as_its_mask(call: Call, picture: Picture, kind: str) -> None:
    answer = call("POST", SEGMENT_ROUTE, content=picture(kind), headers={"content-type": f"image/{kind.lower()}"})
    assert answer.status_code == 200
    told = answer.json()
    (one,) = told["slices"]
    assert np.array_equal(_mask(one["png"]), TUMOUR)
    assert (one["slice"], one["tumour_pixels"], one["tumour_area_mm2"]) == ("slice_001", 24, None)
    assert told["intended_use"] == INTENDED_USE
    assert len(told["model"]["sha256"]) == 64
    assert told["times"]["total_ms"] > 0


def test_several_pictures_keep_their_order_and_are_measured(call: Call, picture: Picture) -> None:
    sent = [("slices", ("Jane_Doe.png", picture(tumour=tumour))) for tumour in (False, True, False)]
    answer = call("POST", f"{SEGMENT_ROUTE}?masks=rle&volume=true&spacing=2,2,5", files=sent)
    told = answer.json()
    assert [one["tumour_pixels"] for one in told["slices"]] == [0, 24, 0]
    assert told["slices"][1]["runs"] == list(runs(TUMOUR)) == [51, 6, 75, 6, 99, 6, 123, 6]
    assert told["tumour_volume_ml"] == pytest.approx(24 * 20 / 1e3)
    assert "Jane" not in answer.text


def test_several_classes_come_as_labels_and_each_by_itself(call: Call, picture: Picture, tiny_parts: Contract) -> None:
    options = {"model": {"contract": tiny_parts, "masks": 3}}
    answer = call("POST", SEGMENT_ROUTE, files=[("slices", ("a", picture()))], options=options).json()
    (one,) = answer["slices"]
    with Image.open(io.BytesIO(base64.b64decode(one["png"]))) as labels:
        assert labels.mode == "P"
        assert np.array_equal(np.asarray(labels), TUMOUR * 2)
    assert [(c["name"], c["label"], c["pixels"]) for c in one["classes"]] == [
        ("whole-tumour", 1, 24),
        ("core", 2, 24),
        ("enhancing", 3, 0),
    ]
    assert one["tumour_pixels"] == 24
    assert [c["pixels"] for c in answer["classes"]] == [24, 24, 0]
    assert "nothing was found of enhancing" in answer["warnings"]
    assert [region["name"] for region in answer["model"]["regions"]] == ["whole-tumour", "core", "enhancing"]
    (rle,) = call("POST", f"{SEGMENT_ROUTE}?masks=rle", files=[("slices", ("a", picture()))], options=options).json()[
        "slices"
    ]
    assert [c["runs"] for c in rle["classes"]] == [list(runs(TUMOUR)), list(runs(TUMOUR)), []]


def test_oddities_are_told(call: Call, picture: Picture) -> None:
    answer = call("POST", SEGMENT_ROUTE, files=[("slices", ("a", picture("JPEG", size=(32, 48))))])
    assert any("JPEG" in warning for warning in answer.json()["warnings"])
    assert any("resampled" in warning for warning in answer.json()["warnings"])


def test_a_mask_over_everything_is_doubted_on_both_routes(call: Call, picture: Picture) -> None:
    options = {"model": {"weights": (100.0, 0.0, 0.0)}}
    answer = call("POST", SEGMENT_ROUTE, files=[("slices", ("a", picture()))], options=options)
    assert "covers 100% of what is not black" in answer.json()["warnings"][0]
    sent = {"instances": [{"b64": base64.b64encode(picture()).decode()}]}
    (one,) = call("POST", "/predict", json=sent, options=options).json()["predictions"]
    assert "covers 100% of what is not black" in one["warnings"][0]


def test_nifti_is_segmented_and_its_mask_is_on_its_voxels(
    call: Call, write_nifti: Callable[..., Path], scan_values: dict[str, Any], tmp_path: Path
) -> None:
    import nibabel

    sent = {name: ("secret", write_nifti(f"{name}.nii.gz", scan_values[name]).read_bytes()) for name in scan_values}
    answer = call("POST", f"{SEGMENT_ROUTE}?masks=nifti", files=sent)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["input"], told["slices_with_tumour"]) == ("nifti", 2)
    mask = tmp_path / "mask.nii.gz"
    mask.write_bytes(base64.b64decode(told["files"][0]["b64"]))
    original = nibabel.load(tmp_path / "flair.nii.gz")
    assert np.allclose(nibabel.load(mask).affine, original.affine)
    assert int((np.asarray(nibabel.load(mask).dataobj) > 0).sum()) == told["tumour_pixels"] > 0


def test_a_zip_of_dicom_is_segmented_and_names_nobody(
    call: Call, write_dicom: Callable[..., Path], scan_values: dict[str, Any]
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for name, description in (("pre", "AX T1"), ("flair", "AX FLAIR"), ("post", "AX T1 POST")):
            folder = write_dicom(name, scan_values[name], description=description)
            for file in folder.iterdir():
                target.write(file, f"../{name}/{file.name}")
    answer = call("POST", SEGMENT_ROUTE, files={"dicom": ("Zyxwvu.zip", packed.getvalue())})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["input"], answer.json()["slices_with_tumour"]) == ("dicom", 2)
    assert not any(word in answer.text for word in ("Zyxwvu", "4711", "815"))


def test_a_series_of_a_study_is_chosen(
    call: Call, write_dicom: Callable[..., Path], scan_values: dict[str, Any]
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for number, name in ((3, "flair"), (7, "pre")):
            folder = write_dicom(name, scan_values[name], description="AX FLAIR", SeriesNumber=number)
            for file in folder.iterdir():
                target.write(file, f"{name}/{file.name}")
        target.writestr("logo.png", b"\x89PNG")
    sent = {"dicom": ("study.zip", packed.getvalue())}
    unsure = call("POST", SEGMENT_ROUTE, files=sent)
    assert unsure.status_code == 422
    assert "2 fit 'flair': '3: flair', '7: flair'" in unsure.text
    assert "flair_series" in unsure.text
    told = call("POST", f"{SEGMENT_ROUTE}?flair_series=3", files=sent).json()
    assert [(one["sequence"], one["series"], one["files"]) for one in told["used"]] == [("flair", "3: flair", 6)]
    assert told["slices_with_tumour"] == 2
    assert "7: flair" in [one["name"] for one in told["unused"]]
    assert call("POST", f"{SEGMENT_ROUTE}?flair_series=9", files=sent).status_code == 422
    picture = {"slices": ("1.png", b"\x89PNG")}
    assert "no DICOM study" in call("POST", f"{SEGMENT_ROUTE}?flair_series=9", files=picture).text
