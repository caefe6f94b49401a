"""Networks of several masks that differ in what they tell of trust alone draw the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeseg.errors import ContractError
from edgeseg.specs import Contract, MaskRegion
from edgeseg.stages.check.inputs import contract_fields
from edgeseg.stages.score.verify import _check_contracts
from edgeseg.stages.ship.trust_vectors import TYPICAL

PLAIN = (MaskRegion(name="whole", channels=(0,), label=1), MaskRegion(name="core", channels=(1,), label=2))


def test_trust_makes_no_other_network(tiny_contract: Contract) -> None:
    plain = replace(tiny_contract, classes=("whole", "core"), regions=PLAIN)
    told = replace(plain, regions=(replace(PLAIN[0], trust=TYPICAL), PLAIN[1])).versioned()
    _check_contracts(told, plain)
    assert contract_fields(told) == contract_fields(plain)
    other = replace(told, regions=(told.regions[0], replace(PLAIN[1], threshold=0.7)))
    with pytest.raises(ContractError, match="regions is"):
        _check_contracts(other, plain)
