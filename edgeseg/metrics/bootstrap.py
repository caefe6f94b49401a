"""How sure a mean over patients is: percentile-bootstrap intervals (Efron, Annals of Statistics 7(1), 1979)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.results import Interval

BOOTSTRAP_SAMPLES = 10_000
RATIO_SAMPLES = 2_000
ONE_SIDED = 5.0
_PERCENTILES = (2.5, 97.5)
_BLOCK = 500


def bootstrap_interval(values: Sequence[float], *, seed: int, samples: int = BOOTSTRAP_SAMPLES) -> Interval:
    """Return the mean over patients with its 95 % percentile-bootstrap interval.

    Patients are drawn with replacement, `samples` times as many of them as there are, and the interval is the 2.5th
    to the 97.5th percentile of the means. It speaks of other patients like these, not of other training runs. The
    order of the patients does not matter. With one patient the interval is that patient's value.

    Args:
        values: one finite figure per patient.
        seed: seeds the draws; equal seeds and values give equal intervals.
        samples: number of resamples.

    Raises:
        ValueError: when there are no values, or one is not finite.
    """
    array = _checked(values)
    low, high = np.percentile(_resampled(array, np.mean, seed=seed, samples=samples), _PERCENTILES)
    return Interval(mean=float(array.mean()), low=float(low), high=float(high))


def paired_interval(
    values: Sequence[float], baseline: Sequence[float], *, seed: int, samples: int = BOOTSTRAP_SAMPLES
) -> Interval:
    """Return the mean of `values - baseline` over the same patients, with its 95 % interval.

    The differences are resampled, patient by patient, so that what is common to both (a hard patient is hard for
    either) does not widen the interval.

    Args:
        values: one finite figure per patient.
        baseline: the same patients in the same order.
        seed: seeds the draws.
        samples: number of resamples.

    Raises:
        ValueError: when the two differ in length, or as in `bootstrap_interval`.
    """
    if len(values) != len(baseline):
        raise ValueError(f"{len(values)} values against {len(baseline)}; a paired interval needs the same patients")
    differences = np.asarray(values, np.float64) - np.asarray(baseline, np.float64)
    return bootstrap_interval(differences.tolist(), seed=seed, samples=samples)


def median_bounds(values: Sequence[float], *, seed: int, samples: int = BOOTSTRAP_SAMPLES) -> tuple[float, float]:
    """Return the 95 % percentile-bootstrap interval of the median over patients, drawn as in `bootstrap_interval`.

    Args:
        values: one finite figure per patient.
        seed: seeds the draws.
        samples: number of resamples.

    Raises:
        ValueError: as in `bootstrap_interval`.
    """
    low, high = np.percentile(_resampled(_checked(values), np.median, seed=seed, samples=samples), _PERCENTILES)
    return float(low), float(high)


def lower_bound(values: Sequence[float], *, seed: int, samples: int = BOOTSTRAP_SAMPLES) -> float:
    """Return the one-sided 95 % bound of the mean over patients: the 5th percentile of the bootstrap means.

    Args:
        values: one finite figure per patient.
        seed: seeds the draws.
        samples: number of resamples.

    Raises:
        ValueError: as in `bootstrap_interval`.
    """
    return float(np.percentile(_resampled(_checked(values), np.mean, seed=seed, samples=samples), ONE_SIDED))


def median_ratio_bounds(
    numerator: Sequence[float], denominator: Sequence[float], *, seed: int, samples: int = RATIO_SAMPLES
) -> tuple[float, float]:
    """Return the 95 % percentile-bootstrap interval of `median(numerator) / median(denominator)` over pairs.

    Pairs are drawn whole, so that what slows both halves of a pair alike does not widen the interval.

    Args:
        numerator: one positive figure per pair.
        denominator: the same pairs in the same order.
        seed: seeds the draws.
        samples: number of resamples.

    Raises:
        ValueError: when the two differ in length, or hold no pair or a figure that is not positive.
    """
    above, below = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    if above.shape != below.shape or above.ndim != 1 or not above.size:
        raise ValueError(f"{above.size} figures against {below.size}; a ratio needs pairs, and at least one")
    if not (np.isfinite(above) & np.isfinite(below) & (above > 0) & (below > 0)).all():
        raise ValueError("a ratio needs positive figures")
    draws = np.random.default_rng(seed).integers(0, above.size, size=(samples, above.size))
    ratios = np.median(above[draws], axis=1) / np.median(below[draws], axis=1)
    low, high = np.percentile(ratios, _PERCENTILES)
    return float(low), float(high)


def _checked(values: Sequence[float]) -> NDArray[np.float64]:
    """Return the values in ascending order, so that the order of the patients does not matter."""
    array = np.sort(np.asarray(values, np.float64))
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        raise ValueError("a bootstrap needs one finite figure per patient, and at least one patient")
    return array


def _resampled(
    values: NDArray[np.float64], statistic: Callable[..., Any], *, seed: int, samples: int
) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    blocks = [min(_BLOCK, samples - start) for start in range(0, samples, _BLOCK)]
    draws = (rng.integers(0, values.size, size=(block, values.size)) for block in blocks)
    return np.concatenate([statistic(values[draw], axis=1) for draw in draws])
