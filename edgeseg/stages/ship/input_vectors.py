"""Golden vectors of what a runner tells of its input: slices, features, scores and the sign, by number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeseg.results.golden_vectors import InputVector
from edgeseg.specs import CHANNELS, InputLook
from edgeseg.specs.input_look import feature_count
from edgeseg.trust import InputTally, input_features, input_oddity, sign_scores, slices_looked_at

_HEIGHT, _WIDTH = 14, 16
_LOOK = InputLook(
    features=(0, 3, 7, 12, 16, 22, 55),
    typical=(0.703, 0.011, -0.052, 0.0, 0.41, 0.18, 0.92),
    spread=(0.081, 0.02, 0.31, 0.02, 0.12, 0.25, 0.4),
    signs=("swapped 0 1", "upside-down", "too-small", "marked"),
    on=((6, 4), (2, 5, 1), (0,), (3, 4)),
    weights=((-0.62, 0.17), (-0.44, 0.13, -0.021), (-0.71,), (0.35, -0.08)),
    bias=(-0.55, -0.61, -0.48, -0.5),
    patients=66,
    data="kaggle-lgg",
)
"""Made up: it has no meaning but for arithmetic."""


def input_vectors() -> tuple[InputVector, ...]:
    """Make the vectors: a head; upside down, with exchanged, equal and missing channels, small, black, dim; one slice.

    And of one channel, of more slices than are looked at, and of five channels.
    """
    head = _head()
    small = np.zeros_like(head)
    small[:, 4:11, 4:12] = head[:, ::2, ::2]
    equal = head.copy()
    equal[..., 2] = head[..., 1]
    missing = head.copy()
    missing[..., 0] = 0
    shown = (
        head,
        head[:, ::-1],
        head[..., [1, 0, 2]],
        equal,
        missing,
        small,
        np.zeros_like(head),
        head[1:2],
        255 - head,
        head // 14,
    )
    more = np.concatenate((head[:2], head[:2, ..., :2] // 2 + 20), axis=-1)
    return (
        *(_vector(images, CHANNELS) for images in shown),
        _vector(head[..., :1], CHANNELS[1:2]),
        _vector(_head(14)[..., 2:], CHANNELS[2:]),
        _vector(more, (*CHANNELS, "t2", "adc")),
    )


def _vector(images: NDArray[np.uint8], channels: tuple[str, ...]) -> InputVector:
    tally = InputTally(len(channels))
    looked = slices_looked_at(len(images))
    for index in looked:
        tally.add(images[index])
    found = input_features(tally)
    fits = max(_LOOK.features) < feature_count(len(channels))
    told = input_oddity(tally, _LOOK if fits else None, channels)
    return InputVector(
        height=_HEIGHT,
        width=_WIDTH,
        channels=channels,
        slices=tuple(tuple(int(value) for value in image.ravel()) for image in images),
        looked_at=looked,
        look=_LOOK if fits else None,
        features=found or (),
        scores=sign_scores(found, _LOOK) if found and fits else (),
        kind="" if told is None else told.kind,
        told_channels=() if told is None else told.channels,
    )


def _head(count: int = 3) -> NDArray[np.uint8]:
    """Slices of an egg with a bright rim, each channel with its own tones, in whole numbers."""
    rows, columns = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    slices = []
    for number in range(count):
        away = (rows - 6) ** 2 * 10 + (columns - 8) ** 2 * (8 + rows // 5) + number * 20
        grain = (rows * 37 + columns * 101 + number * 53) % 17
        planes = [np.where(away < 420, np.where(away > 290, 150, tone) + grain * (one + 1), 3)
                  for one, tone in enumerate((60, 95, 70))]  # fmt: skip
        slices.append(np.stack(planes, axis=-1))
    return np.stack(slices).astype(np.uint8)
