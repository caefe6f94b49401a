"""Masks as golden vectors hold them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.results.golden_vectors import GoldenMask
from edgeseg.runtime.self_test import encode_runs


def mask_vectors(masks: Iterable[NDArray[np.bool_]]) -> tuple[GoldenMask, ...]:
    """Write masks, `(h, w) bool` each, as run lengths with their digests."""
    return tuple(
        GoldenMask(
            height=mask.shape[0],
            width=mask.shape[1],
            runs=encode_runs(mask),
            sha256=artifacts.sha256_bytes(mask.astype(np.uint8).tobytes()),
            tumour_pixels=int(mask.sum()),
        )
        for mask in masks
    )
