"""How well one number per patient tells the good from the poor: pure functions from numbers to numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def auroc(values: Sequence[float], good: Sequence[bool]) -> float | None:
    """Return the share of pairs, one good and one not, in which the good one has the greater value; equals count half.

    It is the area under the receiver operating characteristic (Hanley and McNeil, Radiology 143(1), 1982).

    Args:
        values: one finite number per patient.
        good: which of them are good, in the same order.

    Returns:
        A number in [0, 1]; None where all are good or none is.
    """
    found, is_good = np.asarray(values, np.float64), np.asarray(good, np.bool_)
    ours, others = found[is_good], found[~is_good]
    if not len(ours) or not len(others):
        return None
    above = np.sign(ours[:, np.newaxis] - others[np.newaxis])
    return float((above + 1.0).mean() / 2.0)


def spearman(values: Sequence[float], others: Sequence[float]) -> float | None:
    """Return the rank correlation of two numbers per patient (Spearman, American Journal of Psychology 15(1), 1904).

    Returns:
        A number in [-1, 1]; None for fewer than two patients, and where all values of either are equal.
    """
    ranks, other_ranks = (_ranks(np.asarray(given, np.float64)) for given in (values, others))
    apart, other_apart = ranks - ranks.mean(), other_ranks - other_ranks.mean()
    scale = float(np.sqrt((apart**2).sum() * (other_apart**2).sum()))
    return float((apart * other_apart).sum()) / scale if scale else None


def deferred(values: Sequence[float], scores: Sequence[float], share: float) -> tuple[int, float]:
    """Leave out a share of the patients, those of the least values, and return how many stay and their mean score.

    Args:
        values: one number per patient.
        scores: what the mean is taken of.
        share: in [0, 1); rounded to whole patients, and one stays at least.
    """
    order = np.argsort(np.asarray(values, np.float64), kind="stable")
    kept = order[min(round(share * len(order)), len(order) - 1) :]
    return len(kept), float(np.asarray(scores, np.float64)[kept].mean())


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank numbers from 0 on; equal ones share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts + 1) / 2.0)[inverse], np.float64)
