"""How reports write figures."""

from __future__ import annotations

import pytest

from edgeseg.reports.words import macs_text


@pytest.mark.parametrize(
    ("macs", "text"),
    [(1152, "0.0012 M"), (3_140_000, "3.1 M"), (9_960_000, "10 M"), (201_600_000, "202 M"), (999_600_000, "1.00 G")],
)
def test_macs_of_a_tiny_network_are_not_nothing(macs: int, text: str) -> None:
    assert macs_text(macs) == text
