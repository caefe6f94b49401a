"""Volumes that were made odd on purpose: what a network was not trained on, and what a runner should tell.

Each maker takes slices on the network's grid, `(N, H, W, C) uint8`, feet to head, and gives others of the same H, W and
C; how strongly is drawn from `rng`. Lengths are shares of the slice's width.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edgeseg.imaging import to_size

Images = NDArray[np.uint8]
Masks = NDArray[np.bool_]
Maker = Callable[[Images, Masks, np.random.Generator], Images]
"""From slices and their tumour masks, `(N, H, W) bool`, which may be all False."""
_LEVELS = np.arange(256)
_TISSUE = 15


def swapped(one: int, other: int) -> Maker:
    """Exchange two channels."""

    def make(images: Images, _masks: Masks, _rng: np.random.Generator) -> Images:
        order = list(range(images.shape[3]))
        order[one], order[other] = other, one
        return images[..., order]

    return make


def reordered(*order: int) -> Maker:
    """Put channels in another order."""
    return lambda images, _masks, _rng: images[..., list(order)]


def apart(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """Move one channel by a tenth of the width, so that it no longer lies on the others."""
    found, away = images.copy(), images.shape[2] // 10
    channel, signs = rng.integers(images.shape[3]), rng.choice([-1, 1], 2)
    found[..., channel] = np.roll(images[..., channel], (away * signs[0], away * signs[1]), axis=(1, 2))
    return found


def upside_down(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """Mirror top to bottom, or turn by 180 degrees."""
    return images[:, ::-1, :: int(rng.choice([-1, 1]))]


def quarter_turned(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """Turn by 90 degrees, either way."""
    return to_size(np.rot90(images, int(rng.choice([1, 3])), (1, 2)), images.shape[1:3])


def other_plane(axis: int) -> Maker:
    """Read coronal (1) or sagittal (2) slices as if they were axial: as many as there were, head up."""

    def make(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
        count, height, width = images.shape[:3]
        across = images.shape[axis]
        picked = np.linspace(across // 4, across - across // 4 - 1, count).astype(int)
        stack = np.take(images, picked, axis=axis)[::-1]
        turned = np.ascontiguousarray(np.moveaxis(stack, axis, 0))
        return _placed(turned, (round(height * rng.uniform(0.5, 0.7)), width), (height, width))

    return make


def stripped(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """Cut scalp and skull away, roughly: a rim of the head's outline."""
    rim = max(1, round(images.shape[2] * rng.uniform(0.045, 0.065)))
    found = images.copy()
    for image in found:
        image[~_shrunk(_outline(image), rim)] = 0
    return found


def only_tumour(images: Images, masks: Masks, _rng: np.random.Generator) -> Images:
    """Keep what the mask holds, or a disc where it is empty throughout."""
    return images * _some(masks)[..., np.newaxis]


def marked(images: Images, masks: Masks, _rng: np.random.Generator) -> Images:
    """Burn the mask into the picture, or a disc where it is empty throughout."""
    return np.where(_some(masks)[..., np.newaxis], np.uint8(255), images)


def cut_off(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """Move the picture by a fifth to a third of the width to one side, so that a part of the head is lost."""
    away, axis = round(images.shape[2] * rng.uniform(0.25, 0.35)), int(rng.integers(1, 3))
    moved = np.zeros_like(images)
    to, of = ((slice(away, None), slice(None, -away)), (slice(None, -away), slice(away, None)))[int(rng.integers(2))]
    if axis == 1:
        moved[:, to] = images[:, of]
    else:
        moved[:, :, to] = images[:, :, of]
    return moved


def too_large(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """Show the middle alone, 0.5 to 0.65 of each side."""
    height, width = images.shape[1:3]
    share = rng.uniform(0.5, 0.65)
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    top, left = (height - rows) // 2, (width - columns) // 2
    return to_size(images[:, top : top + rows, left : left + columns], (height, width))


def too_small(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """Shrink to 0.4 to 0.6 of each side, in a wide margin."""
    height, width = images.shape[1:3]
    share = rng.uniform(0.4, 0.6)
    return _placed(images, (max(1, round(height * share)), max(1, round(width * share))), (height, width))


def uneven(axis: int, *, rising: bool | None) -> Maker:
    """Shade along rows (1) or columns (2) by a factor of 8 to 14 in all; None rises either way."""

    def make(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
        share = rng.uniform(2.8, 3.8)
        factor = np.geomspace(1 / share, share, images.shape[axis])
        if not (bool(rng.integers(2)) if rising is None else rising):
            factor = factor[::-1]
        shape = [1, 1, 1, 1]
        shape[axis] = -1
        return np.clip(images * factor.reshape(shape), 0, 255).astype(np.uint8)

    return make


def too_bright(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """A window that is too narrow, or a gamma of 0.35 to 0.5."""
    if rng.integers(2):
        return np.asarray(np.minimum(255, _LEVELS * rng.uniform(2.5, 4.0)).astype(np.uint8)[images])
    return _gamma(images, rng.uniform(0.35, 0.5))


def too_dark(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """A window that is too wide, or a gamma of 2 to 3."""
    if rng.integers(2):
        return np.asarray((_LEVELS / rng.uniform(4.0, 8.0)).astype(np.uint8)[images])
    return _gamma(images, rng.uniform(2.0, 3.0))


def blurred(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """Blur by a Gaussian of 0.016 to 0.03 of the width."""
    radius = images.shape[2] * rng.uniform(0.016, 0.03)
    return _each(images, lambda plane: plane.filter(ImageFilter.GaussianBlur(radius)))


def noisy(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """Add Rician noise of 25 to 50 grey levels."""
    level = rng.uniform(25.0, 50.0)
    noise = rng.standard_normal((2, *images.shape), np.float32) * np.float32(level)
    return np.asarray(np.clip(np.hypot(images + noise[0], noise[1]), 0, 255).astype(np.uint8))


def inverted(images: Images, _masks: Masks, _rng: np.random.Generator) -> Images:
    """Turn black to white."""
    return 255 - images


def learned(channels: int) -> dict[tuple[str, tuple[int, ...]], tuple[Maker, ...]]:
    """Return what a sign is learned from, by its kind and the channels that it names; for up to four all pairs."""
    pairs = list(combinations(range(channels), 2)) if channels <= 4 else [(n, n + 1) for n in range(channels - 1)]
    found: dict[tuple[str, tuple[int, ...]], tuple[Maker, ...]] = {
        ("swapped", pair): (swapped(*pair),) for pair in pairs
    }
    if channels == 3:
        found |= {("cycled", order): (reordered(*order),) for order in ((1, 2, 0), (2, 0, 1))}
    if channels > 1:
        found["apart", ()] = (apart,)
    plain: dict[str, tuple[Maker, ...]] = {
        "upside-down": (upside_down,),
        "turned": (quarter_turned, other_plane(2), other_plane(1)),
        "cut-out": (stripped, only_tumour),
        "cut-off": (cut_off,),
        "too-large": (too_large,),
        "too-small": (too_small,),
        "uneven-sides": (uneven(2, rising=None),),
        "uneven-front": (uneven(1, rising=False),),
        "uneven-back": (uneven(1, rising=True),),
        "too-bright": (too_bright,),
        "too-dark": (too_dark,),
        "blurred": (blurred,),
        "noisy": (noisy,),
        "inverted": (inverted,),
        "marked": (marked,),
    }
    return found | {(kind, ()): makers for kind, makers in plain.items()}


def _gamma(images: Images, power: float) -> Images:
    table = (255.0 * (_LEVELS / 255.0) ** power + 0.5).astype(np.uint8)
    return np.asarray(table[images])


def _each(images: Images, change: Callable[[Image.Image], Image.Image]) -> Images:
    """Change each channel of each slice as a picture."""
    found = np.empty_like(images)
    for index in np.ndindex(len(images), images.shape[3]):
        plane = np.ascontiguousarray(images[index[0], :, :, index[1]])
        found[index[0], :, :, index[1]] = np.asarray(change(Image.fromarray(plane)))
    return found


def _placed(images: Images, size: tuple[int, int], frame: tuple[int, int]) -> Images:
    """Resample to `size` and put it into the middle of a black frame."""
    found = np.zeros((len(images), *frame, images.shape[3]), np.uint8)
    top, left = (frame[0] - size[0]) // 2, (frame[1] - size[1]) // 2
    found[:, top : top + size[0], left : left + size[1]] = to_size(images, size)
    return found


def _outline(image: Images) -> Masks:
    """Fill the head: what has tissue on both sides in its row and in its column, `(H, W) bool`."""
    tissue = image.max(axis=2) > _TISSUE
    tissue = _mean(tissue, 2) > 0.5
    from_each = [np.maximum.accumulate(tissue, axis=0), np.maximum.accumulate(tissue[::-1], axis=0)[::-1]]
    from_each += [np.maximum.accumulate(tissue, axis=1), np.maximum.accumulate(tissue[:, ::-1], axis=1)[:, ::-1]]
    return np.asarray(np.logical_and.reduce(from_each))


def _shrunk(area: Masks, by: int) -> Masks:
    return _mean(area, by) > 0.95


def _mean(area: Masks, radius: int) -> NDArray[np.float64]:
    """Return the share of the square around each pixel that is in an area."""
    plane = Image.fromarray(area.astype(np.uint8) * 255).filter(ImageFilter.BoxBlur(radius))
    return np.asarray(plane) / 255.0


def _some(masks: Masks) -> Masks:
    if masks.any():
        return masks
    rows, columns = np.ogrid[: masks.shape[1], : masks.shape[2]]
    disc = (rows - masks.shape[1] * 0.45) ** 2 + (columns - masks.shape[2] * 0.4) ** 2 < (masks.shape[2] * 0.08) ** 2
    found = np.zeros_like(masks)
    found[len(masks) // 3 : 2 * len(masks) // 3 + 1] = disc
    return found
