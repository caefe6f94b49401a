"""Uploads that take more than they weigh: one clean 4xx in bounded time and memory, and the next one is served."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

Part = Callable[[str], ModuleType]

CASES: dict[str, tuple[str, str, Callable[[Any], bytes], set[int]]] = {
    "png-large": ("slices", "pictures", lambda p: p.png(8000, 8000), {422}),
    "png-text": ("slices", "pictures", lambda p: p.png_text_bomb(), {422}),
    "png-chunks": ("slices", "pictures", lambda p: p.png_many_chunks(), {422}),
    "png-frames": ("slices", "pictures", lambda p: p.png_animated(), {422}),
    "png-too-few-pixels": ("slices", "pictures", lambda p: p.png(2000, 2000, pixels=b"\0"), {422}),
    "tiff-frames": ("slices", "pictures", lambda p: p.tiff_many_frames(), {422}),
    "tiff-good-and-frames": ("slices", "pictures", lambda p: p.tiff_good_then_many_frames(), {422}),
    "tiff-circle": ("slices", "pictures", lambda p: p.tiff_frames_in_a_circle(), {422}),
    "tiff-tags": ("slices", "pictures", lambda p: p.tiff_tags_share_their_value(), {422}),
    "tiff-deflate": ("slices", "pictures", lambda p: p.tiff_packed("tiff_deflate"), {422}),
    "tiff-lzw": ("slices", "pictures", lambda p: p.tiff_packed("tiff_lzw"), {422}),
    "tiff-jpeg": ("slices", "pictures", lambda p: p.tiff_packed("jpeg"), {422}),
    "tiff-lies": ("slices", "pictures", lambda p: p.tiff_lies(), {422}),
    "tiff-lies-less": ("slices", "pictures", lambda p: p.tiff_lies(2000), {422}),
    "jpeg-scans": ("slices", "pictures", lambda p: p.jpeg_many_scans(), {422}),
    "jpeg-lies": ("slices", "pictures", lambda p: p.jpeg_lies(), {422}),
    "jpeg-segments": ("slices", "pictures", lambda p: p.jpeg_segments(), {422}),
    "dicom-deflated": ("dicom", "dicom", lambda d: d.zipped(d.deflated(200 << 20)), {413}),
    "dicom-deflated-many": ("dicom", "dicom", lambda d: d.zipped(*[d.deflated(60 << 20)] * 9), {413, 422}),
    "dicom-deep": ("dicom", "dicom", lambda d: d.zipped(d.deep_sequence()), {413}),
    "dicom-items": ("dicom", "dicom", lambda d: d.zipped(d.many_items()), {413}),
    "dicom-known-items": ("dicom", "dicom", lambda d: d.zipped(d.many_items_of_known_sequence()), {413}),
    "dicom-elements": ("dicom", "dicom", lambda d: d.zipped(d.many_elements(), level=1), {413}),
    "dicom-elements-many-files": (
        "dicom",
        "dicom",
        lambda d: d.zipped(*[d.many_elements(95_000)] * 16, level=1),
        {413, 422},
    ),
    "dicom-rle": ("dicom", "dicom", lambda d: d.zipped(d.packed(d.RLE, d.rle(1 << 28))), {413}),
    "dicom-jpeg-2000": ("dicom", "dicom", lambda d: d.zipped(d.packed(d.J2K, d.j2k(30_000, 30_000))), {413}),
    "dicom-jpeg-ls": ("dicom", "dicom", lambda d: d.zipped(d.packed(d.JPEG_LS, d.jpeg_ls(30_000, 30_000))), {413}),
    "dicom-jpeg-ls-no-pixels": (
        "dicom",
        "dicom",
        lambda d: d.zipped(d.packed(d.JPEG_LS, d.jpeg_ls(2000, 2000), rows=2000, columns=2000)),
        {413, 422},
    ),
    "dicom-jpeg-2000-no-pixels": (
        "dicom",
        "dicom",
        lambda d: d.zipped(d.packed(d.J2K, d.j2k(2000, 2000), rows=2000, columns=2000)),
        {200, 413, 422},  # OpenJPEG takes what is missing for black, and the answer warns of it
    ),
    "dicom-frames": ("dicom", "dicom", lambda d: d.zipped(d.packed(d.RLE, d.rle(384), count=90_000)), {413}),
    "zip-bomb": (
        "dicom",
        "dicom",
        lambda d: d.zipped(*[d.meta(d.EXPLICIT) + d.head() + bytes(60 << 20)] * 9, level=1),
        {413},
    ),
    "zip-entries": ("dicom", "dicom", lambda d: d.zip_of_many(), {413}),
    "nifti-bomb": ("flair", "nifti", lambda n: n.bomb(), {413}),
    "nifti-dense": ("flair", "nifti", lambda n: n.dense(), {413}),
    "nifti-nested": ("flair", "nifti", lambda n: n.nested(), {422}),
    "nifti-members": ("flair", "nifti", lambda n: n.members(), {422}),
    "nifti-lies": ("flair", "nifti", lambda n: n.lies(512, 512, 200), {422}),
    "nifti-long": ("flair", "nifti", lambda n: n.lies(1, 1, 32_000), {413}),
    "nifti-wide": ("flair", "nifti", lambda n: n.lies(32_000, 32_000, 1), {413}),
    "nifti-many-volumes": ("flair", "nifti", lambda n: n.lies(8, 8, 8, 32_000, 32_000, 32_000), {422}),
}


@pytest.mark.parametrize("name", CASES)
def test_an_upload_costs_no_more_than_it_may(name: str, server: Any, part: Part) -> None:
    watch, good = part("watch"), part("pictures").png(16, 24)
    field, family, make, allowed = CASES[name]
    content = make(part(family))
    with watch.watched(server.pid) as seen:
        status, body = server.post(field, content)
    assert status in allowed, body
    told = json.loads(body)
    if status == 200:
        assert told["warnings"]
    else:
        assert set(told) == {"error"}
        assert len(told["error"]) < 600
    assert "/tmp" not in body
    assert seen.seconds < watch.MOST_S
    assert seen.peak_mb < watch.MOST_MB
    start = time.perf_counter()
    assert server.post("slices", good)[0] == 200
    assert time.perf_counter() - start < watch.NEXT_S


def test_good_uploads_of_each_kind_are_served(server: Any, part: Part) -> None:
    dicom, nifti, pictures = part("dicom"), part("nifti"), part("pictures")
    study = dicom.zipped(*(dicom.native(number=number) for number in range(1, 6)))
    for field, content, query in (
        ("slices", pictures.jpeg(64, progressive=True), "masks=png"),
        ("slices", pictures.png(2000, 2000), "masks=png"),
        ("flair", nifti.nifti(24, 16, 4, data=bytes(range(256)) * 12), "masks=nifti"),
        ("dicom", study, "masks=png"),
        ("dicom", dicom.zipped(dicom.deflated(1 << 20, rows=512, columns=512)), "masks=none"),
    ):
        status, body = server.post(field, content, query)
        assert status == 200, body
