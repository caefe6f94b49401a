"""Somebody's file as it is, run in its own runtime: what every file that edgeseg writes of it is held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeseg import imaging
from edgeseg.specs import OUTPUTS, Contract
from edgeseg.specs.foreign import ForeignRecord

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""`(N, H, W, C) float32` -> what the file itself gives for each pixel, `(N, h, w, K) float32`."""
_BATCH_SLICES = 8
_LEAST = 1e-30


class OriginalPredictor:
    """Runs slices through somebody's file as `edgeseg.runtime.Segmenter` does.

    Attributes:
        contract: of the network in the run.
        runtime: such as `keras 3.15.1 (tensorflow 2.21.0)`.
        threads: how many threads the runtime may use.
        numerics: `float32`, or `float16` where the file computes in that.
    """

    logit_step = None

    def __init__(
        self,
        run: Run,
        record: ForeignRecord,
        contract: Contract,
        *,
        runtime: str,
        threads: int,
        numerics: str = "float32",
    ) -> None:
        """Take what runs the file, and what the run says of it."""
        self.numerics = numerics
        self.contract, self.runtime, self.threads = contract, runtime, threads
        self._run, self._record = run, record
        self._given = replace(contract, scale=contract.scale / record.input_factor)

    @imaging.in_passes
    def logits(self, images: NDArray[np.uint8], tables: imaging.Tables | None = None) -> NDArray[np.float32]:
        """Run slices of the contract's size: `(N, H, W, C) uint8` to `(N, H, W) float32` logits.

        Of a contract with R regions they are `(N, H, W, R)`.
        """
        several = (len(self.contract.regions),) if self.contract.regions else ()
        found = np.empty((*images.shape[:3], *several), np.float32)
        for start in range(0, len(images), _BATCH_SLICES):
            rows = slice(start, start + _BATCH_SLICES)
            values = self._run(imaging.normalise(images[rows], self._given, tables))
            found[rows] = imaging.logits_to_size(logits_of(values, self._record, self.contract), *images.shape[1:3])
        return found


def logits_of(values: NDArray[np.float32], record: ForeignRecord, contract: Contract) -> NDArray[np.float32]:
    """Turn what a file gives into one logit for each pixel and mask, as the network in the run gives it.

    Args:
        values: `(N, h, w, K) float32`.
        record: says what they are.
        contract: gives the thresholds, near which nothing is lost.

    Returns:
        `(N, h, w) float32`; of a contract with R regions `(N, h, w, R)`.
    """
    if not contract.regions:
        return _one_mask(values, record.foreground, record.head, contract)
    head = "softmax" if contract.output == OUTPUTS[2] else record.head
    alone = head == "logits" and not contract.exclusive
    return np.stack(
        [
            values[..., list(region.channels)].max(axis=-1) if alone else _one_mask(values, region.channels, head, one)
            for region, one in zip(contract.regions, contract.masks, strict=True)
        ],
        axis=-1,
    )


def _one_mask(
    values: NDArray[np.float32], foreground: tuple[int, ...], head: str, contract: Contract
) -> NDArray[np.float32]:
    inside: NDArray[np.float32] = values[..., list(foreground)].max(axis=-1)
    if head in ("sigmoid", "probabilities"):
        return imaging.as_logits(inside, replace(contract, output="probabilities"))
    others = [channel for channel in range(values.shape[-1]) if channel not in foreground]
    if not others:
        return np.asarray(inside, np.float32)
    outside = values[..., others].max(axis=-1)
    if head == "logits":
        return np.asarray(inside - outside, np.float32)
    ratio = np.log(np.maximum(inside, _LEAST).astype(np.float64)) - np.log(np.maximum(outside, _LEAST))
    return np.asarray(ratio, np.float32)
