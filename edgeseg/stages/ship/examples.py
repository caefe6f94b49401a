"""The phantoms that the tablet app and the web page show, and pictures in memory."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SEED = 2026
SHOWN = ((7, "Phantom B7"), (2, "Phantom C2"))
"""Number in the series `SEED`, and title."""
RGB = 3


def png(picture: NDArray[np.uint8] | NDArray[np.bool_]) -> bytes:
    """Write a picture, `(h, w, 3) uint8`, `(h, w) uint8` or `(h, w) bool`, as PNG."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def planes(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a slice out as a picture: `(h, w, 3) uint8` as it is, of C other channels one below another, `(C * h, w)`."""
    channels = image.shape[2]
    return image if channels == RGB else np.concatenate([image[..., channel] for channel in range(channels)])
