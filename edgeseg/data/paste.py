"""Pasting the tumour of one crop into another: more pairs of head and tumour than there are patients.

What is pasted is the tumour and a rim around it, brought to the brightness of the head that it comes into, sequence by
sequence. Where it falls it replaces head and tumour alike. Written for NumPy and `jax.numpy` alike.

Source: Zhang et al., "CarveMix: A Simple Data Augmentation Method for Brain Lesion Segmentation", MICCAI 2021, with a
rim of whole pixels in place of a level of the distance map, and the brightness as an addition.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_RIM_PX = 12
_HEAD = 0.05
_MOST = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pastes:
    """Which crops of a batch receive a tumour, from which, and with how wide a rim.

    Attributes:
        receives: `(B,) bool`.
        giver: `(B,) int32`, the crop whose tumour is taken.
        rim_px: `() int32`, pixels around the tumour that come with it.
    """

    receives: NDArray[np.bool_]
    giver: NDArray[np.int32]
    rim_px: NDArray[np.int32]


def draw_pastes(batch_size: int, givers: int, share: float, rng: np.random.Generator) -> Pastes:
    """Draw the pastes of a batch; its first `givers` crops are of slices with tumour, `share` is the chance of each."""
    offset = rng.integers(1, max(2, givers))
    return Pastes(
        receives=rng.random(batch_size) < share,
        giver=((np.arange(batch_size) + offset) % givers).astype(np.int32),
        rim_px=np.asarray(rng.integers(1, MAX_RIM_PX + 1), np.int32),
    )


def paste(xp: ModuleType, images: Any, targets: Any, pastes: Pastes, *, masks: int = 1) -> tuple[Any, Any]:
    """Paste tumours within a batch.

    Args:
        xp: `numpy` or `jax.numpy`.
        images: `(B, h, w, C) float32 in [0, 1]`.
        targets: `(B, h, w, T) float32`, the masks first.
        pastes: of `draw_pastes`.
        masks: how many of the targets are masks; the tumour is where any of them is.

    Returns:
        Images and targets of the same shapes.
    """
    given, goal = images[pastes.giver], targets[pastes.giver]
    near = _grown(xp, (goal[..., :masks] > 0.5).any(axis=-1), pastes.rim_px) & pastes.receives[:, None, None]
    gain = xp.clip(_brightness(images) / _brightness(given), 1.0 / _MOST, _MOST)
    pasted = xp.where(near[..., None], xp.clip(given * gain, 0.0, 1.0), images)
    return pasted, xp.where(near[..., None], goal, targets)


def _brightness(images: Any) -> Any:
    """Mean grey value of each sequence inside the head, `(B, 1, 1, 3)`; the head is where any sequence is not dark."""
    head = (images.max(axis=-1, keepdims=True) > _HEAD).astype(images.dtype)
    return (images * head).sum(axis=(1, 2), keepdims=True) / (head.sum(axis=(1, 2), keepdims=True) + 1.0) + 1e-3


def _grown(xp: ModuleType, masks: Any, rim_px: Any) -> Any:
    """Grow masks, `(B, h, w) bool`, by a square of `rim_px` to each side."""
    for axis in (1, 2):
        side = masks.shape[axis]
        before = xp.concatenate([xp.zeros_like(masks.take(xp.arange(1), axis), np.int32), masks.cumsum(axis)], axis)
        high = xp.minimum(xp.arange(side) + rim_px + 1, side)
        low = xp.maximum(xp.arange(side) - rim_px, 0)
        masks = before.take(high, axis) > before.take(low, axis)
    return masks
