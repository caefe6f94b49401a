from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from edgeseg.components import find_components
from edgeseg.stages.segment.measure import area_mm2, largest_diameter_mm


def test_a_rectangle_is_measured_from_corner_to_corner() -> None:
    mask = np.zeros((20, 30), np.bool_)
    assert largest_diameter_mm(mask, (1.0, 1.0)) == 0.0
    mask[5:8, 6:10] = True
    assert largest_diameter_mm(mask, (1.0, 1.0)) == pytest.approx(5.0)
    assert largest_diameter_mm(mask, (2.0, 0.5)) == pytest.approx(np.hypot(6, 2))
    assert largest_diameter_mm(mask, None) is None
    assert area_mm2(12, (2.0, 0.5)) == 12.0
    assert area_mm2(12, None) is None


def test_any_mask_has_the_diameter_of_its_widest_component() -> None:
    rng = np.random.default_rng(0)
    for share in (0.02, 0.2, 0.5):
        mask = rng.random((24, 20)) < share
        labels = find_components(mask, volume=False).labels()[0]
        widest = 0.0
        for label in range(1, labels.max() + 1):
            pixels = np.argwhere(labels == label)
            corners = np.concatenate([pixels + np.array([r, c]) for r in (0, 1) for c in (0, 1)]) * (0.7, 1.3)
            widest = max(widest, float(pdist(corners).max()))
        assert largest_diameter_mm(mask, (0.7, 1.3)) == pytest.approx(widest)
