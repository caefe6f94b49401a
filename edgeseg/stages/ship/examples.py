"""The phantoms that the tablet app and the web page show, and pictures in memory."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SEED = 2026
SHOWN = ((7, "Phantom B7"), (2, "Phantom C2"))
"""Number in the series `SEED`, and title."""


def png(picture: NDArray[np.uint8] | NDArray[np.bool_]) -> bytes:
    """Write a picture, `(h, w, 3) uint8` or `(h, w) bool`, as PNG."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG", optimize=True)
    return stream.getvalue()
