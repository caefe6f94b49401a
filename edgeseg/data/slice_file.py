"""One file to one array: slices and masks from TIFF, PNG or JPEG, with nothing converted silently.

Pillow would narrow a 16-bit image to 8 bits, drop a fourth channel, or show the first of several frames without a word;
here each of these is an error that names the file, what was found, the rule, and what to do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.picture import Picture, decode_picture
from edgeseg.errors import ImageError, MaskError
from edgeseg.regular import open_regular
from edgeseg.specs import LGG, ChannelSet

SUFFIXES = frozenset({".tif", ".tiff", ".png", ".jpg", ".jpeg"})

_JPEG_SIGNATURE = b"\xff\xd8\xff"
_MODES = {1: ("L",), 2: ("LA",), 3: ("RGB",), 4: ("RGBA", "CMYK")}
"""What Pillow calls a picture of so many 8-bit channels."""
_COUNTS = dict(enumerate(("one 8-bit channel", *(f"{n} 8-bit channels" for n in ("two", "three", "four"))), 1))
_GREY_ADVICE = "save it that way, or give slices that hold all channels as paths, without naming sequences one by one"
_MASK_RULE = "a mask is one frame of one 8-bit or 1-bit channel that holds only 0 and 255 (or 0 and 1)"


def read_slice(path: Path, channels: ChannelSet = LGG) -> NDArray[np.uint8]:
    """Read one slice.

    Args:
        path: the file.
        channels: the one to four that it has to hold.

    Returns:
        `(H, W, C) uint8`, as stored; a file that is to be turned is refused.

    Raises:
        ImageError: when the file is missing, damaged, too large, or anything but one 8-bit frame of those channels.
    """
    return _planes(path, decode_picture(path, ImageError, "slice"), channels)


def decode_slice(content: bytes, name: str, *, max_pixels: int, channels: ChannelSet = LGG) -> NDArray[np.uint8]:
    """Read one slice that is in memory, as `read_slice` does.

    Args:
        content: of a TIFF, PNG or JPEG file.
        name: for messages.
        max_pixels: a larger picture is refused before its pixels are decoded.
        channels: as for `read_slice`.

    Raises:
        ImageError: when it is damaged, too large, or anything but one 8-bit frame of those channels.
    """
    path = Path(name)
    return _planes(path, decode_picture(path, ImageError, "slice", content=content, max_pixels=max_pixels), channels)


def _planes(path: Path, picture: Picture, channels: ChannelSet) -> NDArray[np.uint8]:
    names = channels.names
    if len(names) not in _MODES:
        raise ImageError(
            f"{path}: a picture holds at most {max(_MODES)} channels, and {len(names)} are needed; name a file for "
            f"each with {channels.options}"
        )
    found = f"{path}: found {picture.description}; a slice is one frame of {_COUNTS[len(names)]} ({', '.join(names)})"
    if picture.frames != 1:
        raise ImageError(f"{found}; save each frame as a file of its own")
    if picture.bits != 8:
        raise ImageError(f"{found}; rescale the intensities to 0..255 first")
    if picture.mode not in _MODES[len(names)]:
        do = "save it in grey" if len(names) == 1 else f"stack the {len(names)} channels in that order"
        if len(names) > 1 and channels.stand_in is not None:
            do += f", and put {channels.stand_in} in the place of one that was not acquired"
        raise ImageError(f"{found}; {do}")
    pixels = np.array(picture.pixels, dtype=np.uint8, order="C")
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels


def read_grey(path: Path, *, advice: str = _GREY_ADVICE) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Read one slice of one sequence.

    Args:
        path: the file.
        advice: what to do about another file, for messages.

    Returns:
        `(H, W) uint8`, or `(H, W) uint16` where the file has 16 bits.

    Raises:
        ImageError: when the file is missing, damaged, too large, or anything but one grey frame of 8 or 16 bits.
    """
    picture = decode_picture(path, ImageError, "slice")
    if picture.frames == 1 and picture.mode == "L" and picture.bits == 8:
        return np.array(picture.pixels, dtype=np.uint8, order="C")
    if picture.frames == 1 and picture.mode.startswith("I;16") and not picture.inverted:
        return np.array(picture.pixels, dtype=np.uint16, order="C")
    raise ImageError(
        f"{path}: found {picture.description}; a slice of one sequence is one frame of one grey channel of 8 or 16 "
        f"bits; {advice}"
    )


def count_planes(path: Path) -> int:
    """Return how many planes a picture has: 1 of grey, 3 of colour.

    Raises:
        ImageError: when it cannot be read.
    """
    return decode_picture(path, ImageError, "slice").channels


def read_label_map(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Read a label map, `(H, W)` of the numbers that the file holds; of a picture with a palette, its indices.

    Raises:
        MaskError: when the file is missing, damaged, or not one plane of at most 16 bits.
    """
    picture = decode_picture(path, MaskError, "mask")
    if picture.frames == 1 and picture.mode in ("1", "L", "P"):
        return np.array(picture.pixels, dtype=np.uint8, order="C")
    if picture.frames == 1 and picture.mode.startswith("I;16") and not picture.inverted:
        return np.array(picture.pixels, dtype=np.uint16, order="C")
    raise MaskError(
        f"{path}: found {picture.description}; a label map is one frame of one plane of at most 16 bits; save it that "
        "way, without loss (TIFF or PNG)"
    )


def is_jpeg(path: Path) -> bool:
    """Whether a picture is JPEG by its first bytes, or by its ending where it cannot be read."""
    try:
        with open_regular(path) as stream:
            return stream.read(len(_JPEG_SIGNATURE)) == _JPEG_SIGNATURE
    except OSError:
        return path.suffix.lower() in (".jpg", ".jpeg")


def read_mask(path: Path, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Read the mask of a slice.

    Args:
        path: the file.
        shape: `(H, W)` of the slice it belongs to.

    Returns:
        `(H, W) bool`, True = tumour.

    Raises:
        MaskError: as `decode_mask`, or when the mask is of another size than the slice.
    """
    mask = decode_mask(path)
    if mask.shape != shape:
        raise MaskError(
            f"{path}: the mask is {mask.shape[0]} x {mask.shape[1]} and its slice {shape[0]} x {shape[1]}; "
            "both must have one size; export the mask on the grid of the slice"
        )
    return mask


def decode_mask(path: Path) -> NDArray[np.bool_]:
    """Read a mask of any size, `(H, W) bool`, True = tumour.

    Raises:
        MaskError: when the file is missing, damaged, not one 8-bit or 1-bit channel, or holds values other than
            {0, 255} or {0, 1}.
    """
    picture = decode_picture(path, MaskError, "mask")
    if picture.frames != 1 or picture.mode not in ("L", "1") or picture.bits not in (1, 8):
        raise MaskError(f"{path}: found {picture.description}; {_MASK_RULE}; save the outline that way")
    if picture.mode == "1":
        return np.array(picture.pixels, dtype=np.bool_)
    values = np.flatnonzero(np.bincount(picture.pixels.ravel(), minlength=256)).tolist()
    if not (set(values) <= {0, 255} or set(values) <= {0, 1}):
        shown = ", ".join(str(value) for value in values[:6]) + (" ..." if len(values) > 6 else "")
        raise MaskError(
            f"{path}: found {len(values)} values ({shown}); {_MASK_RULE}; threshold it and save it without loss "
            "(TIFF or PNG; JPEG blurs the edge)"
        )
    return np.asarray(picture.pixels != 0, dtype=np.bool_)
