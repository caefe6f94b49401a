"""What the card of a network says of when to believe its masks."""

from __future__ import annotations

from dataclasses import replace

from edgeseg.reports.card import _believed
from edgeseg.results import CardTrust, TrustFigures

FIGURES = TrustFigures(
    patients=4, dice_mean=0.8, poor=1, auroc_poor=1.0, spearman=0.5, poor_flagged=1, good_flagged=0, deferral=(),
    volume_intervals=8, volume_covered=7, volume_width_median=0.3,
)  # fmt: skip
TRUST = CardTrust(
    network="unet", figures=FIGURES, own=None, coverage=0.9, error_as_given=0.1, error_scaled=0.01, inputs=4,
    false_alarms=0, odd_made=8, odd_told=8,
)  # fmt: skip


def test_whom_a_network_learned_from_is_told_as_somebodys_word_where_it_is() -> None:
    own, unseen = " ".join(_believed(TRUST)), " ".join(_believed(replace(TRUST, unseen=True)))
    assert "neither the networks nor these numbers had learned from" in own
    assert "patients who trained the network and not this check" in own
    assert "is the word of whoever measured it" in unseen
    assert "trained the network" not in unseen


def test_of_several_masks_it_names_those_that_have_numbers() -> None:
    told = _believed(replace(TRUST, masks=("whole", "core"), without=("rare",)))
    assert told[0] == "It tells of whole, core, and nothing of rare. A patient's Dice is the mean of these masks."
    assert not any("whole" in line for line in _believed(TRUST))
