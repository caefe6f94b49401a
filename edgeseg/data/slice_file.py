"""One file to one array: slices and masks from TIFF, PNG or JPEG, with nothing converted silently.

Pillow would narrow a 16-bit image to 8 bits, drop a fourth channel, or show the first of several frames without a word;
here each of these is an error that names the file, what was found, the rule, and what to do.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeseg.data.not_read import NOT_READ
from edgeseg.data.picture_head import frames_of
from edgeseg.errors import DataError, ImageError, LimitError, MaskError, one_line
from edgeseg.regular import open_regular
from edgeseg.specs import LGG, ChannelSet

SUFFIXES = frozenset({".tif", ".tiff", ".png", ".jpg", ".jpeg"})

_FORMATS = ("TIFF", "PNG", "JPEG")
_MODE_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}
_TIFF_BITS_PER_SAMPLE, _TIFF_PHOTOMETRIC = 258, 262
_ORIENTATION, _UPRIGHT = 274, 1
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH_OFFSET = 24
_JPEG_SIGNATURE = b"\xff\xd8\xff"
_MODES = {1: ("L",), 2: ("LA",), 3: ("RGB",), 4: ("RGBA", "CMYK")}
"""What Pillow calls a picture of so many 8-bit channels."""
_COUNTS = dict(enumerate(("one 8-bit channel", *(f"{n} 8-bit channels" for n in ("two", "three", "four"))), 1))
_GREY_ADVICE = "save it that way, or give slices that hold all channels as paths, without naming sequences one by one"
_MASK_RULE = "a mask is one frame of one 8-bit or 1-bit channel that holds only 0 and 255 (or 0 and 1)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Picture:
    """A decoded file: `pixels` as Pillow gives them, and what the file said it was; `inverted` where 0 is white."""

    pixels: NDArray[np.generic]
    mode: str
    bits: int
    channels: int
    frames: int
    inverted: bool = False

    @property
    def description(self) -> str:
        """Size, channels, depth and frames, for messages."""
        height, width = self.pixels.shape[:2]
        text = f"{height} x {width} pixels, {self.channels} channel(s) of {self.bits} bit ({self.mode})"
        text += ", black and white exchanged" if self.inverted else ""
        return text if self.frames == 1 else f"{text}, {self.frames} frames or more"


class _EmptyFileError(Exception):
    """The file has no bytes."""


class _TurnedError(Exception):
    """The file says that its pixels are to be turned or mirrored before they are shown."""


class _TooManyPixelsError(Exception):
    """The picture has more pixels than the caller allows."""


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
    return _planes(path, _decode(path, ImageError, "slice"), channels)


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
    return _planes(path, _decode(path, ImageError, "slice", content=content, max_pixels=max_pixels), channels)


def _planes(path: Path, picture: _Picture, channels: ChannelSet) -> NDArray[np.uint8]:
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
    picture = _decode(path, ImageError, "slice")
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
    return _decode(path, ImageError, "slice").channels


def read_label_map(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Read a label map, `(H, W)` of the numbers that the file holds; of a picture with a palette, its indices.

    Raises:
        MaskError: when the file is missing, damaged, or not one plane of at most 16 bits.
    """
    picture = _decode(path, MaskError, "mask")
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
    picture = _decode(path, MaskError, "mask")
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


def _decode(
    path: Path, kind: type[DataError], role: str, *, content: bytes | None = None, max_pixels: int | None = None
) -> _Picture:
    """Decode the whole file; whatever Pillow says against it, warnings included, becomes one `kind`."""
    try:
        return _decode_with_pillow(open_regular(path) if content is None else io.BytesIO(content), max_pixels, path)
    except FileNotFoundError as error:
        raise kind(f"{path}: there is no such file; the {role} is missing") from error
    except IsADirectoryError as error:
        raise kind(f"{path}: this is a folder; a {role} is a TIFF, PNG or JPEG file") from error
    except PermissionError as error:
        raise kind(f"{path}: the file may not be read; change its permissions") from error
    except _EmptyFileError as error:
        raise kind(f"{path}: the file is empty (0 bytes); copy the {role} again") from error
    except _TurnedError as error:
        raise kind(
            f"{path}: its orientation tag (EXIF) says that it is to be turned or mirrored, so a {role} would not lie "
            "as it is seen; save it upright, without the tag"
        ) from error
    except _TooManyPixelsError as error:
        raise kind(
            f"{path}: the image claims {error} pixels and at most {max_pixels} are taken; crop or resample it first"
        ) from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise kind(
            f"{path}: the image claims more than {Image.MAX_IMAGE_PIXELS} pixels; a {role} of that size is taken for "
            "a damaged or hostile file; crop or resample it first"
        ) from error
    except Exception as error:
        if known := NOT_READ.get(path.suffix.lower()):
            raise kind(f"{path}: {known}") from error
        raise kind(_undecodable(path, role, error)) from error


def _undecodable(path: Path, role: str, error: Exception) -> str:
    if isinstance(error, LimitError):
        return str(error)
    return (
        f"{path}: cannot be decoded as TIFF, PNG or JPEG ({one_line(error)}); the {role} is damaged, cut short or of "
        "another format; copy it again or save it as TIFF or PNG"
    )


def _decode_with_pillow(source: BinaryIO, max_pixels: int | None, path: Path) -> _Picture:
    with source as stream, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.simplefilter("error", UserWarning)
        head = stream.read(_PNG_DEPTH_OFFSET + 1)
        if not head:
            raise _EmptyFileError
        stream.seek(0)
        found = frames_of(stream, str(path))
        with Image.open(stream, formats=_FORMATS) as image:
            if max_pixels is not None and image.width * image.height > max_pixels:
                raise _TooManyPixelsError(f"{image.height} x {image.width}")
            if image.getexif().get(_ORIENTATION, _UPRIGHT) not in (_UPRIGHT, 0):
                raise _TurnedError
            frames = int(getattr(image, "n_frames", 1)) if found is None else found
            bits = _bits(image, head)
            image.load()
            return _Picture(
                pixels=np.asarray(image),
                mode=image.mode,
                bits=bits,
                channels=len(image.getbands()),
                frames=frames,
                inverted=_is_inverted(image),
            )


def _is_inverted(image: Image.Image) -> bool:
    """Whether a file says that 0 is white; Pillow puts that right for 8 bits and passes over it for 16."""
    return image.mode.startswith("I;16") and getattr(image, "tag_v2", {}).get(_TIFF_PHOTOMETRIC) == 0


def _bits(image: Image.Image, head: bytes) -> int:
    """Bits per sample as the file states them, since Pillow's mode hides 16-bit colour."""
    tags = getattr(image, "tag_v2", None)
    if tags is not None:
        stated = tags.get(_TIFF_BITS_PER_SAMPLE, (1,))
        return int(max(stated) if isinstance(stated, tuple) else stated)
    if head.startswith(_PNG_SIGNATURE):
        return head[_PNG_DEPTH_OFFSET]
    return _MODE_BITS.get(image.mode, 8)
