"""Padding and backgrounds that no header names."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.data.blank import find_blanks


def plane(seed: int = 0) -> NDArray[np.float64]:
    """A head of 100 to 1000 amid air of 0 to 9, `(80, 80)`."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((80, 80)) - 40
    return (
        np.where(np.hypot(rows, columns) < 30, rng.integers(100, 1000, (80, 80)), rng.integers(0, 10, (80, 80))) * 1.0
    )


def found(values: NDArray[np.float64]) -> list[float]:
    border = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    return [blank.value for blank in find_blanks(values.ravel(), border)]


@pytest.mark.parametrize("value", [32767.0, -2000.0, -500.0, 1e30, -1e30])
def test_padding_at_either_end_is_found(value: float) -> None:
    values = plane()
    values[:, :6] = value
    assert found(values) == [value]


def test_both_ends_are_found() -> None:
    values = plane()
    values[:, :6], values[:, -6:] = 30000, -30000
    assert found(values) == [30000, -30000]


def test_a_background_amid_standardised_values_is_found() -> None:
    values = plane()
    head = values >= 100
    values[head] = (values[head] - values[head].mean()) / values[head].std()
    values[~head] = 0
    assert found(values) == [0]


def test_plain_images_have_none() -> None:
    values = plane()
    assert found(values) == []
    assert found(np.where(values < 100, 0, values)) == []
    assert found(np.minimum(values, 800)) == []
    assert found(-values) == []
    assert found(np.full((80, 80), 7.0)) == []
    assert found(np.full((80, 80), np.nan)) == []


def test_a_bright_lesion_of_one_value_is_no_padding() -> None:
    values = plane()
    values[30:40, 30:40] = 9000
    assert found(values) == []
