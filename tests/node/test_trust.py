"""What report and capture say of how far a mask is to be trusted."""

from __future__ import annotations

from dataclasses import replace

from edgeseg.jsonio import from_json, to_json
from edgeseg.node.capture import measured
from edgeseg.node.report import Finding, told_trust
from edgeseg.results import PatientTrust

FOUND = Finding(
    volume_ml=42.0,
    largest_diameter_mm=51.0,
    slices=20,
    slices_with_tumour=8,
    model_sha256="0" * 64,
    variant="alphax-0.125-half",
    target="onnx-int8",
    trust=PatientTrust(
        dice_expected=0.64,
        look=True,
        because="neighbours",
        why="neighbouring slices agree by 40% alone (77% is usual)",
        volume_low_ml=36.0,
        volume_high_ml=51.0,
        coverage=0.9,
    ),
)


def test_expected_dice_reason_and_interval_are_told() -> None:
    assert from_json(Finding, to_json(FOUND)) == FOUND
    assert told_trust(FOUND) == [
        "LOOK AT THIS ONE: neighbouring slices agree by 40% alone (77% is usual); expected Dice 0.64, an estimate",
        "the volume lies between 36.0 and 51.0 ml in 90% of such patients",
    ]
    tumour, look, between = measured(FOUND)
    assert tumour == "Tumour: volume 42.0 ml, largest diameter 51 mm, in 8 of 20 slices."
    assert look.startswith("LOOK AT THIS ONE: ")
    assert between == "The volume lies between 36.0 and 51.0 ml in 90% of such patients."


def test_where_nobody_knows_nothing_is_told() -> None:
    assert told_trust(replace(FOUND, trust=None)) == []
    assert len(measured(replace(FOUND, trust=None))) == 1
