from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.data.slice_file import decode_mask, read_mask, read_slice
from edgeseg.errors import ImageError, MaskError

RNG = np.random.default_rng(1)
COLOUR = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)
SHAPE = (6, 9)


def png_16_bit_colour() -> bytes:
    """A 16-bit RGB PNG, which Pillow can read but not write."""
    height, width = SHAPE

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(6 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff_16_bit_colour() -> bytes:
    """A 16-bit RGB TIFF, little-endian, one strip, uncompressed."""
    height, width = SHAPE
    strip = bytes(6 * width * height)
    entries = [
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, 3, 8 + 2 + 10 * 12 + 4),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 8 + 2 + 10 * 12 + 4 + 6),
        (277, 3, 1, 3),
        (278, 3, 1, height),
        (279, 4, 1, len(strip)),
        (284, 3, 1, 1),
    ]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 0) + struct.pack("<HHH", 16, 16, 16) + strip


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".png"])
def test_slice_comes_back_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(COLOUR).save(path)
    read = read_slice(path)
    assert read.dtype == np.uint8
    assert np.array_equal(read, COLOUR)
    assert read.flags.writeable
    assert read.flags.c_contiguous


def test_jpeg_slice_is_read(tmp_path: Path) -> None:
    flat = np.full((16, 16, 3), 90, dtype=np.uint8)
    Image.fromarray(flat).save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_slice(tmp_path / "a.jpg").astype(int) - 90).max() <= 2


@pytest.mark.parametrize("high", [1, 255])
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_mask_of_two_values_is_read(tmp_path: Path, suffix: str, high: int) -> None:
    wanted = RNG.random(SHAPE) > 0.5
    path = tmp_path / f"m{suffix}"
    Image.fromarray(wanted.astype(np.uint8) * np.uint8(high)).save(path)
    assert np.array_equal(read_mask(path, SHAPE), wanted)
    assert read_mask(path, SHAPE).dtype == np.bool_


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_one_bit_mask_is_read(tmp_path: Path, suffix: str) -> None:
    wanted = RNG.random(SHAPE) > 0.5
    Image.fromarray(wanted).save(tmp_path / f"m{suffix}")
    assert np.array_equal(read_mask(tmp_path / f"m{suffix}", SHAPE), wanted)


@pytest.mark.parametrize("value", [0, 1, 255])
def test_mask_of_one_value_is_read(tmp_path: Path, value: int) -> None:
    Image.fromarray(np.full(SHAPE, value, dtype=np.uint8)).save(tmp_path / "m.png")
    assert read_mask(tmp_path / "m.png", SHAPE).all() == bool(value)


def grey(path: Path) -> None:
    Image.fromarray(COLOUR[..., 0]).save(path)


def four_channels(path: Path) -> None:
    Image.fromarray(np.concatenate([COLOUR, COLOUR[..., :1]], axis=2)).save(path)


def sixteen_bit_grey(path: Path) -> None:
    Image.fromarray(np.arange(54, dtype=np.uint16).reshape(SHAPE) * 1000).save(path)


def floating(path: Path) -> None:
    Image.fromarray(np.ones(SHAPE, dtype=np.float32)).save(path)


def palette(path: Path) -> None:
    Image.fromarray(COLOUR).quantize(8).save(path)


def two_frames(path: Path) -> None:
    first = Image.fromarray(COLOUR)
    first.save(path, save_all=True, append_images=[Image.fromarray(255 - COLOUR)])


def cmyk(path: Path) -> None:
    Image.fromarray(COLOUR).convert("CMYK").save(path)


@pytest.mark.parametrize(
    ("make", "name", "found"),
    [
        (grey, "a.tif", "1 channel"),
        (grey, "a.png", "1 channel"),
        (four_channels, "a.tif", "4 channel"),
        (four_channels, "a.png", "4 channel"),
        (cmyk, "a.jpg", "4 channel"),
        (sixteen_bit_grey, "a.tif", "16 bit"),
        (sixteen_bit_grey, "a.png", "16 bit"),
        (floating, "a.tif", "32 bit"),
        (palette, "a.png", "P"),
        (two_frames, "a.tif", "2 frames"),
        (two_frames, "a.png", "2 frames"),
        (lambda path: path.write_bytes(png_16_bit_colour()), "a.png", "16 bit"),
        (lambda path: path.write_bytes(tiff_16_bit_colour()), "a.tif", "16 bit"),
    ],
)
def test_other_kinds_of_slice_are_refused(tmp_path: Path, make: Callable[[Path], None], name: str, found: str) -> None:
    make(tmp_path / name)
    with pytest.raises(ImageError) as caught:
        read_slice(tmp_path / name)
    message = str(caught.value)
    assert str(tmp_path / name) in message
    assert found in message
    assert "three 8-bit channels" in message


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
@pytest.mark.parametrize("keep", [0.0, 0.05, 0.4, 0.8])
def test_truncated_slice_is_refused(tmp_path: Path, suffix: str, keep: float) -> None:
    whole = tmp_path / f"whole{suffix}"
    Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(whole)
    data = whole.read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(ImageError, match=r"cut\."):
        read_slice(path)


def test_a_damaged_slice_is_told_without_names_of_python(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"nothing of the kind")
    with pytest.raises(ImageError, match=r"cannot be decoded as TIFF, PNG or JPEG \(cannot identify image file\)"):
        read_slice(tmp_path / "a.tif")


def test_damaged_bytes_give_a_slice_or_an_image_error(tmp_path: Path) -> None:
    Image.fromarray(RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(tmp_path / "a.tif")
    data = np.frombuffer((tmp_path / "a.tif").read_bytes(), dtype=np.uint8)
    refused = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        hurt = data.copy()
        hurt[rng.integers(0, 160, 4)] = rng.integers(0, 256, 4)
        (tmp_path / "b.tif").write_bytes(hurt.tobytes())
        try:
            assert read_slice(tmp_path / "b.tif").shape[2] == 3
        except ImageError:
            refused += 1
    assert refused > 0


def test_text_named_as_an_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("not an image")
    with pytest.raises(ImageError, match="cannot be decoded"):
        read_slice(tmp_path / "a.tif")


def test_format_outside_the_three_is_refused(tmp_path: Path) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "a.bmp")
    with pytest.raises(ImageError, match="TIFF, PNG or JPEG"):
        read_slice(tmp_path / "a.bmp")


@pytest.mark.parametrize("limit", [40, 10])
def test_too_many_pixels_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(ImageError, match=f"more than {limit} pixels"):
        read_slice(tmp_path / "a.png")


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file"):
        read_slice(tmp_path / "none.tif")
    with pytest.raises(MaskError, match="no such file"):
        read_mask(tmp_path / "none.tif", SHAPE)
    with pytest.raises(ImageError, match="folder"):
        read_slice(tmp_path)


def test_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((5, 9), dtype=np.uint8)).save(tmp_path / "m.png")
    with pytest.raises(MaskError, match=r"the mask is 5 x 9 and its slice 6 x 9"):
        read_mask(tmp_path / "m.png", SHAPE)


@pytest.mark.parametrize("values", [(0, 128), (1, 255), (0, 1, 255), (3, 3)])
def test_mask_of_other_values_is_refused(tmp_path: Path, values: tuple[int, ...]) -> None:
    pixels = np.resize(np.array(values, dtype=np.uint8), SHAPE)
    Image.fromarray(pixels).save(tmp_path / "m.png")
    with pytest.raises(MaskError, match="only 0 and 255"):
        decode_mask(tmp_path / "m.png")


@pytest.mark.parametrize("make", [four_channels, sixteen_bit_grey, two_frames, palette])
def test_other_kinds_of_mask_are_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "m.png")
    with pytest.raises(MaskError, match=r"m\.png: found .*a mask is"):
        decode_mask(tmp_path / "m.png")
