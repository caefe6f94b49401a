from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, spearmanr

from edgeseg.metrics import auroc, deferred, spearman


@pytest.mark.parametrize("seed", range(3))
def test_they_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, others = rng.integers(0, 8, 30).astype(float), rng.normal(size=30)
    good = others > 0.2
    assert spearman(values.tolist(), others.tolist()) == pytest.approx(spearmanr(values, others).statistic)
    area = mannwhitneyu(values[good], values[~good]).statistic / (good.sum() * (~good).sum())
    assert auroc(values.tolist(), good.tolist()) == pytest.approx(area)


def test_where_they_say_nothing() -> None:
    assert auroc([1.0, 2.0], [True, True]) is None
    assert spearman([1.0, 1.0], [0.0, 1.0]) is None
    assert spearman([1.0], [1.0]) is None


def test_those_of_the_least_values_are_left_out() -> None:
    kept, mean = deferred([3.0, 1.0, 2.0, 4.0], [0.9, 0.1, 0.8, 1.0], 0.25)
    assert kept == 3
    assert mean == pytest.approx(0.9)
    assert deferred([3.0, 1.0], [0.9, 0.1], 0.9) == (1, 0.9)
