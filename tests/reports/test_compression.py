"""What a compression says of the Dice that it cost."""

from __future__ import annotations

import pytest

from edgeseg.reports.compression import lost


@pytest.mark.parametrize(("given", "left"), [(0.85, 0.85), (0.85, 0.831), (0.2, 0.9)])
def test_little_that_was_lost_needs_no_word(given: float, left: float) -> None:
    assert lost(given, left) is None


def test_a_fall_of_dice_is_said_with_what_to_do() -> None:
    assert str(lost(0.5, 0.0)).startswith("DICE FELL from 0.500 to 0.000 on the validation patients: train for more")
