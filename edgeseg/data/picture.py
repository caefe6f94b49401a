"""Decode a TIFF, PNG or JPEG file whole, and say what it was before Pillow's mode hides it."""

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
from edgeseg.errors import DataError, LimitError, one_line
from edgeseg.regular import open_regular

_FORMATS = ("TIFF", "PNG", "JPEG")
_MODE_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}
_TIFF_BITS_PER_SAMPLE, _TIFF_PHOTOMETRIC = 258, 262
_ORIENTATION, _UPRIGHT = 274, 1
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH_OFFSET = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
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


def decode_picture(
    path: Path, kind: type[DataError], role: str, *, content: bytes | None = None, max_pixels: int | None = None
) -> Picture:
    """Decode the whole file; whatever Pillow says against it, warnings included, becomes one `kind`.

    Args:
        path: the file; names it in messages where `content` is given.
        kind: the error of this role.
        role: `slice` or `mask`, for messages.
        content: of the file, where it is in memory.
        max_pixels: a larger picture is refused before its pixels are decoded.

    Raises:
        DataError: of `kind`, when the file is missing, damaged, turned, or too large.
    """
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


def _decode_with_pillow(source: BinaryIO, max_pixels: int | None, path: Path) -> Picture:
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
            return Picture(
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
