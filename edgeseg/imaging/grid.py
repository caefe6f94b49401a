"""From slices as they are stored to the network's grid: channels in its order, its size, stretched where asked for."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeseg.errors import ContractError, ImageError
from edgeseg.specs import Contract, ImageSpec

Scalar = TypeVar("Scalar", bound=np.generic)
STRETCH_SHARE = 0.99
ASPECT_TOLERANCE = 0.01


def check_images(images: NDArray[np.uint8], channels: tuple[str, ...]) -> None:
    """Refuse an array that is not a stack of slices: `(N, h, w, C) uint8`, N may be 0, h and w may not.

    Args:
        images: what was given.
        channels: names of the C channels that it has to have.

    Raises:
        ImageError: with the shape and dtype that were given.
    """
    given = f"an array of shape {images.shape} and dtype {images.dtype}"
    if images.ndim != 4 or images.shape[3] != len(channels) or 0 in images.shape[1:3]:
        raise ImageError(
            f"{given} is not a stack of slices; (N, h, w, {len(channels)}) is needed, the channels being "
            f"{', '.join(channels)}, so add the axis or the channel that is missing"
        )
    if images.dtype != np.uint8:
        raise ImageError(f"{given} was given; slices are uint8 in 0..255, so scale and convert them first")


def to_network(
    images: NDArray[np.uint8], contract: Contract, channels: tuple[str, ...] | None = None
) -> NDArray[np.uint8]:
    """Bring slices to the size and the order of channels that a network takes.

    Each channel is resampled on its own by Pillow's bilinear filter, whose support grows with the reduction factor
    (antialiasing). Slices that already have size and order are not copied. Where the contract's normalisation is
    `slice`, `stretch` comes last.

    Args:
        images: `(N, h, w, C) uint8`, NHWC.
        contract: says the size and the order.
        channels: what the C channels are; `given_channels` of the contract unless told.

    Returns:
        `(N, H, W, D) uint8`, H, W and the D channels those of the contract, in its order.

    Raises:
        ImageError: when `images` is not a stack of slices.
        ContractError: when the contract asks for other channels than slices have.
    """
    channels = given_channels(contract) if channels is None else channels
    check_images(images, channels)
    if contract.channels != channels:
        images = images[..., _places(contract, channels)]
    images = to_size(images, (contract.height, contract.width))
    return stretch(images) if contract.normalisation == "slice" else images


def given_channels(contract: Contract) -> tuple[str, ...]:
    """Return the channels that slices have where nothing else is said.

    They are the contract's own, or where those are all of TCGA-LGG's channels, all three of that set in its order.
    """
    return contract.channel_set.pictured.names


def _places(contract: Contract, channels: tuple[str, ...]) -> list[int]:
    """Find each channel that the network takes among those of a slice, or what may stand in for it."""
    stand_in = contract.channel_set.stand_in
    taken = [name if name in channels else stand_in for name in contract.channels]
    if missing := [name for name, one in zip(contract.channels, taken, strict=True) if one not in channels]:
        raise ContractError(
            f"the network takes {', '.join(contract.channels)}, and the slices have {', '.join(channels)}: "
            f"'{missing[0]}' is missing, and its contract names nothing that could stand in for it; give slices with "
            "that channel, or an artifact that does without; where it has another name alone, say so with --channels "
            "of edgeseg evaluate, or as channels in the contract of an imported network"
        )
    return [channels.index(str(name)) for name in taken]


def to_size(images: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resample each channel on its own: `(N, h, w, C) uint8` to `(N, *size, C)`; not copied where it has that size."""
    if images.shape[1:3] == size:
        return images
    channels = images.shape[3]
    resampled = np.empty((len(images), *size, channels), np.uint8)
    for index, image in enumerate(images):
        for channel in range(channels):
            resampled[index, :, :, channel] = resample(np.ascontiguousarray(image[:, :, channel]), size)
    return resampled


def stretch(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Stretch each channel of each slice so that 99 % of its pixels above 0 stay below white.

    With p the smallest grey value that at least 99 % of the pixels above 0 do not exceed, v becomes
    `min(255, v * 255 // p)`, in whole numbers; a black channel stays black.

    Args:
        images: `(N, H, W, C) uint8`, NHWC.

    Returns:
        An array of the same shape and dtype.
    """
    stretched = np.empty_like(images)
    levels = np.arange(256, dtype=np.int64)
    for index, image in enumerate(images):
        for channel in range(image.shape[2]):
            plane = image[:, :, channel]
            counts = np.cumsum(np.bincount(plane.ravel(), minlength=256)[1:])
            white = 1 + int(np.searchsorted(counts, STRETCH_SHARE * counts[-1])) if counts[-1] else 255
            table = np.minimum(255, levels * 255 // white).astype(np.uint8)
            stretched[index, :, :, channel] = table[plane]
    return stretched


def to_layout(images: NDArray[Scalar], layout: str) -> NDArray[Scalar]:
    """Lay `(N, H, W, C)` out as `NHWC` (unchanged) or `NCHW` (`(N, C, H, W)`, contiguous).

    Raises:
        ContractError: for any other layout.
    """
    if layout == "NHWC":
        return images
    if layout == "NCHW":
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    raise ContractError(f"layout is '{layout}'; choose one of: NCHW, NHWC")


def framed_size(
    shape: tuple[int, int], contract: Contract | ImageSpec, pixel_mm: tuple[float, float] | None
) -> tuple[int, int]:
    """Find the size that a slice is padded to, so that resampling it to the contract's keeps its proportions.

    Args:
        shape: `(h, w)` of the slice.
        contract: gives the network's grid, whose pixels are square.
        pixel_mm: distances between rows and between columns; None where they are unknown, and nothing is padded.

    Returns:
        `(h', w')` with h' >= h, w' >= w, one of them equal; `shape` itself where the proportions are right within 1 %.
    """
    height, width = shape
    if pixel_mm is None:
        return shape
    aspect = (height * pixel_mm[0] / contract.height) / (width * pixel_mm[1] / contract.width)
    if abs(aspect - 1) <= ASPECT_TOLERANCE:
        return shape
    return (height, round(width * aspect)) if aspect > 1 else (round(height / aspect), width)


def framed(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Pad a slice, `(h, w, C) uint8`, with black at the right and below to `size`; not copied where it has that."""
    below, right = size[0] - image.shape[0], size[1] - image.shape[1]
    return np.pad(image, ((0, below), (0, right), (0, 0))) if below or right else image


def resample(plane: NDArray[Scalar], size: tuple[int, int]) -> NDArray[Scalar]:
    """One plane, `(h, w)` uint8 or float32, to `size` = (H, W)."""
    height, width = size
    resampled = Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resampled, dtype=plane.dtype)
