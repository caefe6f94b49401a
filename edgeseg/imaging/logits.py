"""From what a network returns to masks on the slices' own grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ContractError
from edgeseg.imaging.grid import resample
from edgeseg.specs import OUTPUTS, Contract

_SUREST = 2.0**-23
_OUTSIDE_TOLERANCE = 1e-3


def as_logits(values: NDArray[np.float32], contract: Contract, step: float | None = None) -> NDArray[np.float32]:
    """Give what a network returned as logits: as it is, or `log(p / (1 - p))` where the contract says probabilities.

    A p below 2**-23 (of codes: half a step) counts as that, and likewise at 1, where float32 holds no more: logits end
    at about 16. So p is above the contract's threshold exactly where its logit is above `logit_threshold`, and
    components are dropped and masks resampled as they are for the same network without its last sigmoid.

    Args:
        values: any shape, finite.
        contract: says what they are.
        step: what one code of an integer output is worth.

    Raises:
        ContractError: when the contract says probabilities and a value lies outside [0, 1].
    """
    if contract.output == OUTPUTS[0]:
        return values
    _check_probabilities(values)
    end = min(max(_SUREST, (step or 0.0) / 2), contract.threshold / 2, (1.0 - contract.threshold) / 2)
    p = np.clip(values.astype(np.float64), end, 1.0 - end)
    return np.log(p / (1.0 - p)).astype(np.float32)


def one_logit(values: NDArray[np.float32], contract: Contract, step: float | None = None) -> NDArray[np.float32]:
    """Make one logit per pixel of what a network gave for several classes.

    Of logits it is the greatest of the foreground less the greatest of the rest, of a softmax the same of their
    logarithms, so that it is above 0 exactly where a foreground class wins; of probabilities that share nothing it is
    the logit of the greatest of the foreground.

    Args:
        values: `(K, ...)`, finite, a plane for each of `contract.classes`.
        contract: says what they are, and which classes are foreground.
        step: what one code of an integer output is worth.

    Returns:
        `(...) float32` logits.

    Raises:
        ContractError: as `as_logits`.
    """
    inside = [number in contract.foreground for number in range(len(values))]
    ours = values[inside].max(axis=0)
    if contract.output == OUTPUTS[1]:
        return as_logits(ours, contract, step)
    rest = values[[not one for one in inside]].max(axis=0)
    if contract.output == OUTPUTS[2]:
        _check_probabilities(values)
        least = max(_SUREST, (step or 0.0) / 2)
        ours, rest = (np.log(np.clip(p.astype(np.float64), least, 1.0)) for p in (ours, rest))
    return np.asarray(ours - rest, dtype=np.float32)


def region_logits(values: NDArray[np.float32], contract: Contract, step: float | None = None) -> NDArray[np.float32]:
    """Make the logits of several masks of what a network gave: one for each of the contract's regions.

    Of channels of a softmax, or of logits that the contract calls `exclusive`, it is `one_logit` with the region's
    channels as foreground; of others it is the logit of the greatest of the region's channels.

    Args:
        values: `(K, ...)`, finite, a plane for each of `contract.classes`.
        contract: says what they are, and which regions are made of them.
        step: what one code of an integer output is worth.

    Returns:
        `(..., R) float32` logits, the R regions last.

    Raises:
        ContractError: as `as_logits`.
    """
    shares = contract.exclusive or contract.output == OUTPUTS[2]
    made = []
    for region in contract.regions:
        one = (
            replace(
                contract,
                regions=(),
                exclusive=False,
                foreground=region.channels,
                threshold=region.threshold,
                golden=None,
            )
            if shares
            else replace(contract, threshold=region.threshold)
        )
        made.append(
            one_logit(values, one, step) if shares else as_logits(values[list(region.channels)].max(axis=0), one, step)
        )
    return np.stack(made, axis=-1)


def _check_probabilities(values: NDArray[np.float32]) -> None:
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if low < -_OUTSIDE_TOLERANCE or high > 1.0 + _OUTSIDE_TOLERANCE:
        raise ContractError(
            f"the contract says that the network gives probabilities and it gave values from {low:.4g} to "
            f'{high:.4g}; probabilities lie in [0, 1], so give it a contract with "output": "logits"'
        )


def logits_to_size(logits: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Resample logits to another grid, bilinear with antialiasing: `(N, H, W)` to `(N, height, width) float32`.

    Those of several masks, `(N, H, W, R)`, are resampled mask by mask.
    """
    if logits.shape[1:3] == (height, width):
        return logits
    if logits.ndim == 4:
        return np.stack([logits_to_size(logits[..., k], height, width) for k in range(logits.shape[3])], axis=-1)
    resampled = np.empty((len(logits), height, width), np.float32)
    for index, one in enumerate(logits):
        resampled[index] = resample(np.ascontiguousarray(one, dtype=np.float32), (height, width))
    return resampled


def framed_mask(
    logits: NDArray[np.float32], contract: Contract, shape: tuple[int, int], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Turn one slice's logits, `(1, H, W) float32`, into its mask, `shape` bool, when it was padded to `size`.

    Of several masks, `(1, H, W, R)`, each is made so: `(*shape, R) bool`.
    """
    return mask_on_grid(logits, contract, *size)[0, : shape[0], : shape[1]]


def mask_from_logits(logits: NDArray[np.float32], contract: Contract) -> NDArray[np.bool_]:
    """Threshold logits: True where a logit is above `contract.logit_threshold`; any shape, returned as it is.

    Where the contract has regions the last axis is theirs, and each has its own threshold.
    """
    if contract.regions:
        thresholds = np.array([region.logit_threshold for region in contract.regions], np.float32)
        return np.asarray(logits > thresholds, dtype=np.bool_)
    return np.asarray(logits > contract.logit_threshold, dtype=np.bool_)


def mask_on_grid(logits: NDArray[np.float32], contract: Contract, height: int, width: int) -> NDArray[np.bool_]:
    """Turn a network's logits into masks on the slices' own grid.

    Args:
        logits: `(N, H, W) float32` on the contract's grid; of several masks `(N, H, W, R)`.
        contract: gives the threshold.
        height: of the slices, in pixels.
        width: of the slices, in pixels.

    Returns:
        `(N, height, width) bool`, True = tumour; of several masks `(N, height, width, R)`.
    """
    return mask_from_logits(logits_to_size(logits, height, width), contract)
