"""A file that ends too early is never taken for one that ends there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import BasicTextSRStorage, DeflatedExplicitVRLittleEndian, RLELossless

from edgeseg.data.dicom.header import is_image, read
from edgeseg.data.dicom.listing import list_series
from edgeseg.errors import DatasetError
from tests.stages.segment._heads import series

HEAD_BYTES = 132


def one(tmp_path: Path, **options: Any) -> Path:
    return series(tmp_path / "s", "AX FLAIR", order=[9], **options) / "009.dcm"


def pixels_begin(path: Path) -> int:
    return len(path.read_bytes()) - len(pydicom.dcmread(path).PixelData)


def outcome(path: Path) -> str:
    try:
        read_one = read(path)
        return ("cut" if read_one.is_cut else "whole") if is_image(path, read_one) else "no image"
    except DatasetError as error:
        return "refused" if path.name in str(error) else str(error)


@pytest.mark.parametrize("meta", [True, False])
def test_wherever_a_file_is_cut_it_is_told(tmp_path: Path, meta: bool) -> None:
    path = one(tmp_path)
    if not meta:
        plain = pydicom.dcmread(path)
        del plain.file_meta
        plain.preamble = None
        plain.save_as(path, implicit_vr=True, little_endian=True)
    whole = path.read_bytes()
    start = len(whole) - 2 * 64 * 64
    assert outcome(path) == "whole"
    for end in range(HEAD_BYTES, start):
        path.write_bytes(whole[:end])
        assert outcome(path) == "refused", end
    for end in (start, start + 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert outcome(path) == "cut", end
    path.write_bytes(whole + b"\0\0")
    assert outcome(path) == "whole"


def test_fragments_that_are_cut_are_told(tmp_path: Path) -> None:
    def packed(made: Dataset) -> None:
        made.PixelData = encapsulate([b"\0" * 500, b"\1" * 700])
        made["PixelData"].is_undefined_length = True
        made.file_meta.TransferSyntaxUID = RLELossless

    path = one(tmp_path, edit=packed)
    whole = path.read_bytes()
    assert outcome(path) == "whole"
    for less in (1, 8, 9, 200, 900, 1220):
        path.write_bytes(whole[:-less])
        assert outcome(path) == "cut", less


def test_a_deflated_file_that_is_cut_is_refused(tmp_path: Path) -> None:
    path = one(tmp_path)
    deflated = pydicom.dcmread(path)
    deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    deflated.PixelData = np.random.default_rng(1).bytes(len(deflated.PixelData))
    deflated.save_as(path)
    assert outcome(path) == "whole"
    path.write_bytes(path.read_bytes()[:-4000])
    assert outcome(path) == "refused"


def test_what_holds_no_image_by_its_class_is_no_damage(tmp_path: Path) -> None:
    path = one(tmp_path)
    report = pydicom.dcmread(path)
    for name in ("PixelData", "Rows", "Columns"):
        delattr(report, name)
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = BasicTextSRStorage
    report.save_as(path)
    assert outcome(path) == "no image"
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = "1.3.12.2.1107.5.9.1"
    report.save_as(path)
    assert outcome(path) == "no image"


@pytest.mark.parametrize("name", ["SeriesInstanceUID", "Rows"])
def test_an_image_that_does_not_say_its_series_or_size_is_refused(tmp_path: Path, name: str) -> None:
    path = one(tmp_path, edit=lambda made: delattr(made, name))
    with pytest.raises(DatasetError, match=rf"009\.dcm: its header lacks {name}"):
        list_series([path], "x")
