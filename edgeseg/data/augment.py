"""Training augmentation in numpy and Pillow: geometry in one resampling, intensity in one table look-up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeseg.errors import OptionError
from edgeseg.specs import LGG, ChannelSet

MESH = 4
_AT_ONCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """How far an augmentation goes: angles in degrees, lengths in pixels of the slice, shares of full intensity.

    `log_brightness` is the range of the logarithm of a gain that all channels share. `shift_px` is how far a crop may
    reach over the edge of the slice.
    """

    flip_x: bool = True
    flip_y: bool = True
    rotation_deg: float = 15.0
    scale: float = 0.15
    gain: float = 0.2
    log_gamma: float = 0.25
    bend_px: float = 0.0
    noise: float = 0.0
    noise_share: float = 0.0
    log_brightness: tuple[float, float] = (0.0, 0.0)
    shift_px: float = 0.0


_STILL = Ranges(flip_x=False, flip_y=False, rotation_deg=0.0, scale=0.0, gain=0.0, log_gamma=0.0)
_STRONG = Ranges(rotation_deg=30.0, scale=0.25, gain=0.3, log_gamma=0.4, bend_px=6.0, noise=0.04, noise_share=0.3)
_SCANNER = replace(_STRONG, log_brightness=(-0.8, 0.4))
MODES = {
    "none": _STILL,
    "flips": Ranges(flip_y=False, rotation_deg=0.0, scale=0.0, gain=0.0, log_gamma=0.0),
    "rich": Ranges(),
    "upright": Ranges(flip_y=False),
    "shifted": Ranges(shift_px=32.0),
    "strong": _STRONG,
    "scanner": _SCANNER,
    "extreme": replace(_SCANNER, rotation_deg=180.0, scale=0.35, bend_px=8.0, log_gamma=0.5),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variation:
    """What one crop gets, drawn by `draw`: the same on the host (`augment`) and on a device (`data.on_device`).

    Attributes:
        affine: the map from crop pixels to slice pixels, in Pillow's order.
        bend: `(MESH + 1, MESH + 1, 2) float64`, how far the nodes of a grid move, in pixels of the slice, x first; None
            where none does.
        gain: `(C,) float64`, what each channel is multiplied by after `gamma`.
        gamma: `(C,) float64`, the power of each channel.
        missing: the channels that another stands in for.
        stand_in: which one that is.
        noise: the standard deviation of the noise, of full intensity; 0 for none.
        noise_seed: what the host draws the noise from.
    """

    affine: tuple[float, float, float, float, float, float]
    bend: NDArray[np.float64] | None
    gain: NDArray[np.float64]
    gamma: NDArray[np.float64]
    missing: tuple[int, ...]
    noise: float
    noise_seed: int
    stand_in: int = 0


def can_be_missing(channels: ChannelSet) -> tuple[tuple[int, ...], ...]:
    """List what can be missing at once: each channel that another may stand in for, then all of them together.

    Raises:
        OptionError: when nothing may stand in for a channel, or there is no other.
    """
    others = tuple(place for place, name in enumerate(channels.names) if name != channels.stand_in)
    if channels.stand_in is None or not others:
        raise OptionError(
            f"missing-share was given, and nothing stands in for a channel of this data ({', '.join(channels.names)}); "
            "leave it out"
        )
    return (*((place,) for place in others), *((others,) if len(others) > 1 else ()))


def draw(
    shape: tuple[int, int],
    *,
    crop_px: int,
    mode: str,
    rng: np.random.Generator,
    channels: ChannelSet = LGG,
    missing_share: float = 0.0,
    blank_share: float = 0.0,
) -> Variation:
    """Draw what one crop of a slice gets.

    `rich` draws a flip of each axis, a rotation of +-15 degrees, a scale of +-15 %, and per channel a gain of +-20 %
    and a gamma of exp(+-0.25). `upright` leaves out the vertical flip, `shifted` lets the crop reach 32 pixels over the
    edge of the slice. `strong` draws the same as `rich` in wider ranges (`MODES`), bends the slice by moving the
    nodes of a grid, and adds noise to some; `scanner` is `strong` and one gain for all channels, since scanners
    differ in brightness several times; `extreme` is `scanner` in any rotation, with wider scales and powers. `flips`
    is a horizontal flip only, `none` only the crop.

    Args:
        shape: height and width of the slice.
        crop_px: the side of the square; larger than the slice is padded with black.
        mode: one of `MODES`.
        rng: the only source of chance.
        channels: those of the slice.
        missing_share: the chance that the stand-in takes the place of one of the others, or of all of them.
        blank_share: the chance that one channel is black; nothing stands in for another then.

    Raises:
        OptionError: when channels shall be missing for which nothing stands in.
    """
    ranges = MODES[mode]
    affine, bend = _affine(shape, crop_px, ranges, rng), _bend(ranges, rng)
    missing = missing_share > 0 and rng.random() < missing_share
    gain = rng.uniform(1 - ranges.gain, 1 + ranges.gain, size=len(channels.names))
    if any(ranges.log_brightness):
        gain *= math.exp(rng.uniform(*ranges.log_brightness))
    gamma = np.exp(rng.uniform(-ranges.log_gamma, ranges.log_gamma, size=len(channels.names)))
    absent: tuple[int, ...] = ()
    if blank_share and rng.random() < blank_share:
        gain[rng.integers(len(gain))] = 0.0
    elif missing:
        choices = can_be_missing(channels)
        absent = choices[rng.integers(len(choices))]
    noisy = ranges.noise > 0 and rng.random() < ranges.noise_share
    noise = rng.uniform(0.0, ranges.noise) if noisy else 0.0
    noise_seed = int(rng.integers(2**32)) if noisy else 0
    return Variation(
        affine=affine,
        bend=bend,
        gain=gain,
        gamma=gamma,
        missing=absent,
        noise=noise,
        noise_seed=noise_seed,
        stand_in=channels.names.index(channels.stand_in) if channels.stand_in else 0,
    )


def augment(
    image: NDArray[np.uint8],
    targets: Sequence[NDArray[Any]],
    *,
    crop_px: int,
    mode: str,
    rng: np.random.Generator,
    channels: ChannelSet = LGG,
    missing_share: float = 0.0,
    blank_share: float = 0.0,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cut a random square out of a slice and vary it, as `draw` says.

    Args:
        image: `(H, W, C) uint8`.
        targets: what is to be cut alike, each `(H, W)`: a mask as `bool`, or probabilities as `uint8`, 255 for 1.
        crop_px: as in `draw`, and so `mode`, `rng` and `missing_share`.
        mode: one of `MODES`.
        rng: the only source of chance.
        channels: the C channels.
        missing_share: as in `draw`.
        blank_share: as in `draw`.

    Returns:
        `(crop_px, crop_px, C) float32 in [0, 1]` and `(crop_px, crop_px, len(targets)) float32 in [0, 1]`; masks stay
        0 or 1.
    """
    drawn = draw(
        image.shape[:2], crop_px=crop_px, mode=mode, rng=rng, channels=channels, missing_share=missing_share,
        blank_share=blank_share,
    )  # fmt: skip
    cut = _Cut(drawn.affine, drawn.bend, crop_px)
    pixels = _pixels(cut, image, _table(drawn))
    pixels *= np.float32(1.0 / 255.0)
    for channel in drawn.missing:
        pixels[..., channel] = pixels[..., drawn.stand_in]
    if drawn.noise:
        own = np.random.default_rng(drawn.noise_seed)
        pixels += own.standard_normal(pixels.shape, np.float32) * np.float32(drawn.noise)
        np.clip(pixels, 0.0, 1.0, out=pixels)
    return pixels, np.stack([_target(cut, t) for t in targets], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """The map from crop pixels to slice pixels: an affine one, or one for each tile of a grid whose nodes moved."""

    affine: tuple[float, float, float, float, float, float]
    bend: NDArray[np.float64] | None
    crop_px: int

    def __call__(self, array: NDArray[np.uint8], resampling: Image.Resampling) -> Image.Image:
        size = (self.crop_px, self.crop_px)
        image = Image.fromarray(array)
        if self.bend is None:
            return image.transform(size, Image.Transform.AFFINE, self.affine, resampling)
        return image.transform(size, Image.Transform.MESH, self._tiles(self.bend), resampling)

    def _tiles(self, bend: NDArray[np.float64]) -> list[tuple[tuple[int, ...], tuple[float, ...]]]:
        """Return Pillow's mesh: each tile of the crop, and where its corners (NW, SW, SE, NE) lie in the slice."""
        a, b, c, d, e, f = self.affine
        edges = [round(self.crop_px * i / MESH) for i in range(MESH + 1)]

        def node(row: int, column: int) -> tuple[float, float]:
            x, y = edges[column], edges[row]
            return a * x + b * y + c + bend[row, column, 0], d * x + e * y + f + bend[row, column, 1]

        return [
            (
                (edges[j], edges[i], edges[j + 1], edges[i + 1]),
                (*node(i, j), *node(i + 1, j), *node(i + 1, j + 1), *node(i, j + 1)),
            )
            for i in range(MESH)
            for j in range(MESH)
        ]


def _pixels(cut: _Cut, image: NDArray[np.uint8], table: list[int]) -> NDArray[np.float32]:
    """Cut a slice and look its grey values up, `(c, c, C) float32`; Pillow takes three channels at once, else one."""
    count = image.shape[2]
    if count == _AT_ONCE:
        return np.asarray(cut(image, Image.Resampling.BILINEAR).point(table), np.float32)
    planes = [np.ascontiguousarray(image[:, :, place]) for place in range(count)]
    return np.stack(
        [
            np.asarray(cut(plane, Image.Resampling.BILINEAR).point(table[place * 256 : place * 256 + 256]), np.float32)
            for place, plane in enumerate(planes)
        ],
        axis=-1,
    )


def _target(cut: _Cut, target: NDArray[Any]) -> NDArray[np.float32]:
    if target.dtype == np.bool_:
        return np.asarray(cut(target.view(np.uint8), Image.Resampling.NEAREST), np.float32)
    return np.asarray(cut(target, Image.Resampling.BILINEAR), np.float32) * np.float32(1.0 / 255.0)


def _affine(
    shape: tuple[int, int], crop_px: int, ranges: Ranges, rng: np.random.Generator
) -> tuple[float, float, float, float, float, float]:
    """Draw the map from crop pixels to slice pixels, in Pillow's order."""
    height, width = shape
    angle = math.radians(rng.uniform(-ranges.rotation_deg, ranges.rotation_deg))
    scale = rng.uniform(1 - ranges.scale, 1 + ranges.scale)
    flip_y = rng.choice((-1.0, 1.0)) if ranges.flip_y else 1.0
    flip_x = rng.choice((-1.0, 1.0)) if ranges.flip_x else 1.0
    slack_y, slack_x = (max(0.0, (side - crop_px) / 2) + ranges.shift_px for side in shape)
    centre_x = width / 2 + rng.uniform(-slack_x, slack_x)
    centre_y = height / 2 + rng.uniform(-slack_y, slack_y)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    a, b, d, e = cos * flip_x, -sin * flip_y, sin * flip_x, cos * flip_y
    half = crop_px / 2
    return (a, b, centre_x - a * half - b * half, d, e, centre_y - d * half - e * half)


def _bend(ranges: Ranges, rng: np.random.Generator) -> NDArray[np.float64] | None:
    """Draw where the nodes of the grid move, `(MESH + 1, MESH + 1, 2)` in pixels of the slice, x first."""
    if not ranges.bend_px:
        return None
    return rng.uniform(-ranges.bend_px, ranges.bend_px, (MESH + 1, MESH + 1, 2))


def _table(drawn: Variation) -> list[int]:
    """Return what each grey value of each channel becomes, channel after channel, as Pillow's `point` takes it."""
    levels = np.linspace(0.0, 1.0, 256)
    values = drawn.gain[:, np.newaxis] * levels ** drawn.gamma[:, np.newaxis]
    table: list[int] = np.rint(255.0 * np.clip(values, 0.0, 1.0)).astype(int).ravel().tolist()
    return table
