"""What does not fit an app or a page is said before anything is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeseg.errors import ContractError
from edgeseg.specs import Contract, MaskRegion
from edgeseg.stages.ship.fits import require_fit


def test_the_shipped_channels_in_any_order_fit(tiny_contract: Contract) -> None:
    require_fit(tiny_contract, "the page")
    require_fit(replace(tiny_contract, channels=("post", "pre", "flair")), "the page")


def test_other_channels_and_several_masks_do_not(tiny_contract: Contract) -> None:
    with pytest.raises(ContractError, match="takes t1, t2, and the page reads pre, flair, post; run it with"):
        require_fit(replace(tiny_contract, channels=("t1", "t2")), "the page")
    regions = tuple(MaskRegion(name=name, channels=(place,), label=place + 1) for place, name in enumerate("ab"))
    with pytest.raises(ContractError, match="put into the app"):
        require_fit(replace(tiny_contract, classes=("a", "b"), regions=regions), "the app")
