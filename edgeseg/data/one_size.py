"""Bring the slices of all patients to one size, as the runner brings a scan to a network's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from statistics import median_high

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeseg.data.volume import Volume
from edgeseg.imaging import framed, framed_size, to_size
from edgeseg.specs import ImageSpec

MULTIPLE = 32
"""Sides are multiples of it, since most networks halve their image five times."""

Shape = tuple[int, int]


def square_size(volume: Volume) -> Shape:
    """Return which size the slices of a patient would have if their pixels were as wide as they are high."""
    height, width = volume.images.shape[1:3]
    if volume.spacing_mm is None:
        return height, width
    fine = min(volume.spacing_mm[1:])
    return round(height * volume.spacing_mm[1] / fine), round(width * volume.spacing_mm[2] / fine)


def common_size(sizes: Iterable[Shape]) -> Shape:
    """Return the size for patients of several: the median height and width, to the nearest multiple of 32.

    Args:
        sizes: `square_size` of each, at least one.
    """
    heights, widths = zip(*sizes, strict=True)
    return _rounded(median_high(heights)), _rounded(median_high(widths))


def to_one_size(volume: Volume, size: Shape) -> Volume:
    """Bring a patient's slices and masks to a size; itself where they have it and their pixels are square.

    A black margin at the right and below first gives them the proportions of the size, where the distances of pixels
    are known; images are then resampled by Pillow's bilinear filter, masks by nearest neighbours.

    Args:
        volume: `images (N, h, w, C)` and `masks (N, h, w)` or `(N, h, w, K)`.
        size: height and width.
    """
    shape = (volume.images.shape[1], volume.images.shape[2])
    pixel_mm = None if volume.spacing_mm is None else volume.spacing_mm[1:]
    frame = framed_size(shape, ImageSpec(height=size[0], width=size[1]), pixel_mm)
    if frame == shape == size:
        return volume
    images = to_size(np.stack([framed(image, frame) for image in volume.images]), size)
    spacing = volume.spacing_mm
    if spacing is not None:
        across = spacing[2] * frame[1] / size[1]
        spacing = (spacing[0], across, across)
    return replace(volume, images=images, masks=_nearest(volume.reference, frame, size), spacing_mm=spacing)


def _nearest(masks: NDArray[np.bool_], frame: Shape, size: Shape) -> NDArray[np.bool_]:
    below, right = frame[0] - masks.shape[1], frame[1] - masks.shape[2]
    padded = np.pad(masks, ((0, 0), (0, below), (0, right), *((0, 0),) * (masks.ndim - 3)))
    planes = padded[..., np.newaxis] if masks.ndim == 3 else padded
    found = np.empty((len(planes), *size, planes.shape[3]), np.bool_)
    for index, one in enumerate(planes):
        for place in range(planes.shape[3]):
            plane = Image.fromarray(np.ascontiguousarray(one[:, :, place], dtype=np.uint8))
            found[index, :, :, place] = np.asarray(plane.resize((size[1], size[0]), Image.Resampling.NEAREST))
    return found[..., 0] if masks.ndim == 3 else found


def _rounded(side: int) -> int:
    return max(MULTIPLE, (side + MULTIPLE // 2) // MULTIPLE * MULTIPLE)
