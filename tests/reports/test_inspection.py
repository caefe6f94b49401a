"""What `edgeseg inspect` says of a contract."""

from __future__ import annotations

from dataclasses import replace

from edgeseg.reports.inspection import _trusted
from edgeseg.specs import Contract, MaskRegion, Trust
from edgeseg.stages.ship.trust_vectors import TYPICAL


def test_it_says_of_which_masks_trust_is_told(tiny_contract: Contract) -> None:
    assert _trusted(tiny_contract) == "nothing"
    of_one = f"fitted on {TYPICAL.patients} patients of {TYPICAL.data}"
    assert _trusted(replace(tiny_contract, trust=Trust(output=TYPICAL))) == f"masks, {of_one}"
    regions = (MaskRegion(name="whole", channels=(0,), label=1), MaskRegion(name="core", channels=(1,), label=2))
    several = replace(tiny_contract, classes=("a", "b"), regions=(regions[0], replace(regions[1], trust=TYPICAL)))
    assert _trusted(several) == f"core, {of_one}"
