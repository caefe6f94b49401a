"""How well one mask volume matches another: pure functions from arrays to numbers.

Every function takes one patient's whole volume, `(N, H, W) bool`, True = tumour, slices in anatomical order. Nothing
here averages over slices: a patient is the unit, since the slices of one head are not independent.

The figures over patients are in `edgeseg.metrics.bootstrap`, and everything about one patient at once is
`score_patient`.
"""

from __future__ import annotations

from edgeseg.metrics.bootstrap import (
    BOOTSTRAP_SAMPLES,
    bootstrap_interval,
    lower_bound,
    median_bounds,
    median_ratio_bounds,
    paired_interval,
)
from edgeseg.metrics.lesions import LesionCount, count_lesions
from edgeseg.metrics.overlap import Overlap, SliceCount, count_overlap, count_tumour_free, each_mask
from edgeseg.metrics.patient import score_classes, score_patient
from edgeseg.metrics.ranking import auroc, deferred, spearman
from edgeseg.metrics.surface import hd95, surface, surface_distances

__all__ = [
    "BOOTSTRAP_SAMPLES",
    "LesionCount",
    "Overlap",
    "SliceCount",
    "auroc",
    "bootstrap_interval",
    "count_lesions",
    "count_overlap",
    "count_tumour_free",
    "deferred",
    "each_mask",
    "hd95",
    "lower_bound",
    "median_bounds",
    "median_ratio_bounds",
    "paired_interval",
    "score_classes",
    "score_patient",
    "spearman",
    "surface",
    "surface_distances",
]
