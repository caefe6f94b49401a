"""Weights in half precision, as a file of weights keeps them: binary16 of IEEE 754-2019, 16 bits each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = float(np.finfo(np.float16).max)


def is_short(name: str) -> bool:
    """Whether an array of this name is kept in 16 bits: it holds the weights of a convolution."""
    return name.endswith("/kernel")


def shortened(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return arrays by name with the weights of convolutions in `float16`, each the nearest number."""
    return {name: array.astype(np.float16) if is_short(name) else array for name, array in arrays.items()}


def widened(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array in `float32` where it is in `float16`, with the same numbers."""
    return array.astype(np.float32) if array.dtype == np.float16 else array
