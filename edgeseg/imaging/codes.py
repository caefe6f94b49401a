"""The integers that an integer artifact takes and gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeseg.imaging.intensity import Tables, looked_up, normalise, own_tables
from edgeseg.specs import Contract


def quantise(values: NDArray[np.float32], scale: float, zero_point: int, dtype: str = "int8") -> NDArray[np.integer]:
    """Real values to codes: `clip(round(x / scale) + zero_point, lowest, highest)`, halves to even (Jacob 2018, eq. 1).

    `lowest` and `highest` are those of `dtype`, `int8`, `uint8` or `int16`.
    """
    levels = np.rint(values.astype(np.float64) / scale) + zero_point
    ends = np.iinfo(dtype)
    return np.asarray(np.clip(levels, ends.min, ends.max), dtype=dtype)


def dequantise(levels: NDArray[np.integer], scale: float, zero_point: int) -> NDArray[np.float32]:
    """Codes to real values: `(q - zero_point) * scale`, float32 (Jacob 2018, eq. 1)."""
    return (levels.astype(np.int32) - zero_point).astype(np.float32) * np.float32(scale)


def quantise_images(
    images: NDArray[np.uint8],
    contract: Contract,
    scale: float,
    zero_point: int,
    dtype: str = "int8",
    given: Tables | None = None,
) -> NDArray[np.integer]:
    """Bytes to the codes that an integer artifact takes, through one table of the 256 byte values for each channel.

    Equal to `quantise(normalise(images))`. The scale of edgeseg's artifacts is the contract's: with int8 and a zero
    point of -128 the result is exactly the raw byte minus 128, with int16 and 0 the raw byte.

    Args:
        images: `(N, H, W, C) uint8`; any shape where the contract's normalisation is its scale alone.
        contract: gives what a byte is worth.
        scale: of the artifact's input, positive.
        zero_point: of the artifact's input.
        dtype: of the artifact's input, `int8`, `uint8` or `int16`.
        given: the tables of the volume, as in `normalise`.

    Returns:
        The codes, `dtype`, in the shape of `images`.
    """
    if contract.intensity is None:
        table = quantise(normalise(np.arange(256, dtype=np.uint8), contract), scale, zero_point, dtype)
        levels: NDArray[np.integer] = table[images]
        return levels
    found = [quantise(one, scale, zero_point, dtype) for one in own_tables(images, contract, given)]
    return np.asarray(looked_up(images, found), dtype=dtype)
