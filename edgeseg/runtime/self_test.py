"""The golden case of a contract: make its drawing, choose one for an artifact, and hold an artifact's logits to it.

docs/reference/contract.md has the drawing and the run lengths step by step, for runners in other languages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeseg.artifacts import sha256_bytes
from edgeseg.errors import ContractError
from edgeseg.imaging import given_channels, mask_from_logits, to_network
from edgeseg.specs import CHANNELS, Contract, GoldenCase, GoldenDrawing, GoldenLogit

Scalar = TypeVar("Scalar", bound=np.generic)
Logits = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

MIN_SHARE, MAX_SHARE, MAX_RUNS_CHARACTERS = 0.002, 0.25, 1200
MAX_PIXELS = 1 << 20
"""Of a drawing; each takes some 200 bytes while it is made."""
_INT8_LOGIT_CODES, _INT8_FLIP_CODES = 8, 2
_LOGITS_BY_SIDE = 3

_HEAD = (
    (512, 512, 430, 350, 110, 60, 130),
    (512, 512, 400, 320, 20, 15, 20),
    (512, 512, 380, 300, 70, 75, 80),
    (512, 512, 340, 262, 80, 80, 85),
    (500, 462, 110, 26, 20, 15, 25),
    (500, 562, 110, 26, 20, 15, 25),
)
"""Scalp, skull, cortex, white matter, and two ventricles."""


def _with_lesion(row: int, column: int, radius: int, noise: int, blur: int) -> GoldenDrawing:
    lesion = (
        (row, column, radius * 11 // 10, radius, 62, 165, 75),
        (row, column, radius // 2, radius // 2, 50, 190, 95),
    )
    return GoldenDrawing(ellipses=_HEAD + lesion, noise=noise, blur=blur)


DRAWINGS = (
    _with_lesion(400, 660, 90, 12, 1),
    _with_lesion(430, 350, 100, 30, 2),
    _with_lesion(640, 640, 80, 12, 1),
    _with_lesion(600, 380, 120, 20, 2),
    _with_lesion(380, 640, 60, 12, 1),
    _with_lesion(470, 640, 150, 20, 1),
    _with_lesion(640, 400, 170, 8, 3),
    _with_lesion(400, 620, 200, 30, 1),
)
"""The drawings there are; an artifact's golden case is the first on which it finds something and not too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tolerance:
    """How far logits may be off between devices, and how near the threshold a pixel must be to flip."""

    logit: float
    flip: float
    reason: str


def draw(drawing: GoldenDrawing, height: int, width: int) -> NDArray[np.uint8]:
    """Make a drawing: `(height, width, 3) uint8`, channels = pre, FLAIR, post; the same bytes on every device."""
    image = np.zeros((height, width, 3), np.int64)
    rows, columns = 2 * np.arange(height)[:, np.newaxis] + 1, 2 * np.arange(width)[np.newaxis] + 1
    for cy, cx, ry, rx, *values in drawing.ellipses:
        a, b = rows - cy * height // 512, columns - cx * width // 512
        tall, wide = (ry * height // 512) ** 2, (rx * width // 512) ** 2
        image[a * a * wide + b * b * tall <= wide * tall] = values
    index = np.arange(image.size, dtype=np.int64).reshape(image.shape)
    noise = (index * index * 4241 + index * 7 + index // 8 * 40503) % 65521 % (2 * drawing.noise + 1) - drawing.noise
    image = np.where(image > 0, np.clip(image + noise, 0, 255), 0)
    for _ in range(drawing.blur):
        edged = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(edged, (3, 3), axis=(0, 1))
        image = (windows.sum(axis=(3, 4)) + 4) // 9
    return image.astype(np.uint8)


def encode_runs(mask: NDArray[np.bool_]) -> str:
    """Write a mask, `(H, W) bool`, as run lengths in row-major order, 0 first; what is left at the end is 0."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask.ravel(), [False]])))
    return " ".join(map(str, np.diff(np.concatenate([[0], edges]))))


def decode_runs(runs: str, height: int, width: int) -> NDArray[np.bool_]:
    """Read what `encode_runs` wrote: `(height, width) bool`.

    Raises:
        ContractError: when the text is no list of run lengths, or holds more pixels than there are.
    """
    try:
        lengths = [int(word) for word in runs.split()]
    except ValueError as error:
        raise ContractError(f"the golden mask is no list of run lengths ({error}); build the model again") from error
    if min(lengths, default=0) < 0 or sum(lengths) > height * width:
        raise ContractError(
            f"the golden mask's runs cover {sum(lengths)} pixels and there are {height} x {width}; build it again"
        )
    mask = np.zeros(height * width, np.bool_)
    ends = np.cumsum(lengths)
    for start, end in zip(ends[0::2], ends[1::2], strict=False):
        mask[start:end] = True
    return mask.reshape(height, width)


def make_case(logits: Logits, contract: Contract, *, made_with: str, step: float | None) -> GoldenCase | None:
    """Find the first of `DRAWINGS` on which an artifact draws a mask that is neither nearly empty nor nearly full.

    Args:
        logits: runs slices, `(N, H, W, 3) uint8` in the contract's order to `(N, H, W) float32`.
        contract: of the artifact.
        made_with: runtime and arithmetic, for the record.
        step: what one code of the output is worth; None for a float output.

    Returns:
        The case; None where there is none, or where nothing trained the network.
    """
    if contract.trained_on == "none" or contract.height * contract.width > MAX_PIXELS:
        return None
    tolerance = _tolerance(contract.target, step)
    for drawing in DRAWINGS:
        image = draw(drawing, contract.height, contract.width)
        several = logits(to_network(_as_slice(image, contract), contract))[0]
        mask, given = in_one(mask_from_logits(several, contract)), in_one(several)
        runs = encode_runs(mask)
        if MIN_SHARE <= mask.mean() <= MAX_SHARE and len(runs) <= MAX_RUNS_CHARACTERS:
            return GoldenCase(
                ellipses=drawing.ellipses,
                noise=drawing.noise,
                blur=drawing.blur,
                input_sha256=sha256_bytes(image.tobytes()),
                mask_runs=runs,
                mask_sha256=sha256_bytes(mask.astype(np.uint8).tobytes()),
                tumour_pixels=int(mask.sum()),
                allowed_flips=int((np.abs(in_one(several - _thresholds(contract))) <= tolerance.flip).sum()),
                logits=_some_logits(given),
                logit_tolerance=tolerance.logit,
                reason=tolerance.reason,
                made_with=made_with,
            )
    return None


def golden_input(contract: Contract) -> NDArray[np.uint8]:
    """Make the drawing of a contract's golden case: `(1, H, W, C) uint8`, as a slice comes from a reader.

    Raises:
        ContractError: when there is no case, or when its digest is that of another drawing.
    """
    case = _case(contract)
    if contract.height * contract.width > MAX_PIXELS:
        raise ContractError(
            f"the golden case is of {contract.height} x {contract.width} pixels, and at most {MAX_PIXELS} are drawn; "
            "build the model again, which leaves it out"
        )
    image = draw(case.drawing, contract.height, contract.width)
    if sha256_bytes(image.tobytes()) != case.input_sha256:
        raise ContractError(
            "the golden case's drawing came out different from the one its mask was made on; build the model again"
        )
    return _as_slice(image, contract)


def _as_slice(image: NDArray[np.uint8], contract: Contract) -> NDArray[np.uint8]:
    """Give a drawing, `(H, W, 3) uint8`, the channels of a contract: `(1, H, W, C) uint8`.

    Networks that take what drawings hold get them as they are. To others each channel is one of the three planes: the
    first, the second, the third, the first again, and so on.
    """
    names = given_channels(contract)
    places = range(image.shape[2]) if names == CHANNELS else [n % image.shape[2] for n in range(len(names))]
    return np.ascontiguousarray(image[np.newaxis][..., list(places)])


def golden_mask(contract: Contract) -> NDArray[np.bool_]:
    """Return the mask that the golden case expects: `(H, W) bool`; several are as `in_one` lays them.

    Raises:
        ContractError: when there is no case, or when its mask is damaged.
    """
    case = _case(contract)
    mask = decode_runs(case.mask_runs, contract.height * len(contract.masks), contract.width)
    if sha256_bytes(mask.astype(np.uint8).tobytes()) != case.mask_sha256:
        raise ContractError("the golden case's mask does not have the digest beside it; build the model again")
    return mask


def logit_off_max(case: GoldenCase, logits: NDArray[np.float32]) -> float:
    """Return how far the logits `(H, W) float32` are from those of the case, at most.

    Raises:
        ContractError: when the case names a pixel outside.
    """
    height, width = logits.shape
    if any(not (0 <= kept.row < height and 0 <= kept.column < width) for kept in case.logits):
        raise ContractError(f"the golden case names a pixel outside {height} x {width}; build the model again")
    return max((abs(float(logits[kept.row, kept.column]) - kept.logit) for kept in case.logits), default=0.0)


def in_one(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """Lay the planes of several masks, `(H, W, R)`, one below the other, `(R * H, W)`; what is `(H, W)` stays so."""
    return values if values.ndim == 2 else np.concatenate(list(np.moveaxis(values, -1, 0)))


def _thresholds(contract: Contract) -> Any:
    """The logit threshold, or of several masks `(R,) float32`."""
    if not contract.regions:
        return contract.logit_threshold
    return np.array([region.logit_threshold for region in contract.regions], np.float32)


def _case(contract: Contract) -> GoldenCase:
    if contract.golden is None:
        raise ContractError(
            f"the contract ({contract.variant.slug} {contract.target}, schema version {contract.schema_version}) "
            "carries no golden case to check this device with: nothing trained the network, it draws nothing "
            "sensible on any drawing, or an older edgeseg built it; build it again from trained weights"
        )
    return contract.golden


def _some_logits(logits: NDArray[np.float32]) -> tuple[GoldenLogit, ...]:
    """Keep the logits of a grid of pixels and of the one with the largest."""
    height, width = logits.shape
    parts = range(1, 2 * _LOGITS_BY_SIDE, 2)
    places = [(height * i // (2 * _LOGITS_BY_SIDE), width * j // (2 * _LOGITS_BY_SIDE)) for i in parts for j in parts]
    row, column = divmod(int(logits.argmax()), width)
    return tuple(
        GoldenLogit(row=r, column=c, logit=round(float(logits[r, c]), 4))
        for r, c in dict.fromkeys([*places, (row, column)])
    )


def _tolerance(target: str, step: float | None) -> _Tolerance:
    """What may differ between devices, by the artifact's arithmetic."""
    precision = target.rpartition("-")[2]
    if precision == "int8" and step is not None:
        return _Tolerance(
            logit=_INT8_LOGIT_CODES * step,
            flip=_INT8_FLIP_CODES * step,
            reason=f"integer kernels may round a tie either way: a logit by {_INT8_LOGIT_CODES} codes of {step:.4g}, "
            f"a pixel within {_INT8_FLIP_CODES} codes of the threshold may flip",
        )
    logit, why = _FLOAT_TOLERANCES.get(precision, _FLOAT_TOLERANCES["dynamic"])
    return _Tolerance(
        logit=logit, flip=logit, reason=f"{why}: a logit by {logit:g}, a pixel as near to the threshold may flip"
    )


_FLOAT_TOLERANCES = {
    "fp32": (1e-3, "float sums differ in their last bits"),
    "fp16": (0.05, "a device may add in half precision"),
    "int16x8": (0.05, "integer kernels may round a tie either way"),
    "dynamic": (0.5, "ranges are taken from each slice, and kernels round differently"),
}
"""Precision -> how far a logit may be off, and why. Kernels of LiteRT and ONNX Runtime were compared on `DRAWINGS`."""
