"""What does not fit an app, a page or a golden vector is said before anything is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeseg.errors import ContractError
from edgeseg.specs import Contract, MaskRegion
from edgeseg.stages.ship.fits import require_fit, require_pictures

REGIONS = tuple(MaskRegion(name=name, channels=(place,), label=place + 1) for place, name in enumerate("ab"))


def test_app_and_page_take_channels_and_masks_as_they_are_named(tiny_contract: Contract) -> None:
    require_fit(replace(tiny_contract, channels=("t1", "t2"), classes=("a", "b"), regions=REGIONS), "the page")
    require_fit(replace(tiny_contract, channels=("us",)), "the page")
    require_fit(replace(tiny_contract, channels=tuple("abcdefgh")), "the page")


def test_they_take_neither_nine_channels_nor_slices_of_another_plane(tiny_contract: Contract) -> None:
    with pytest.raises(ContractError, match="takes 9 channels, and the page reads at most 8; run it with: edgeseg run"):
        require_fit(replace(tiny_contract, channels=tuple("abcdefghi")), "the page")
    with pytest.raises(ContractError, match="takes coronal slices of a volume, and the page gives it axial ones"):
        require_fit(replace(tiny_contract, plane="coronal"), "the page")


def test_pictures_hold_one_mask_and_the_shipped_channels_in_any_order(tiny_contract: Contract) -> None:
    require_pictures(replace(tiny_contract, channels=("post", "pre", "flair")))
    with pytest.raises(ContractError, match="takes t1, t2, and a golden vector's pictures hold pre, flair, post; give"):
        require_pictures(replace(tiny_contract, channels=("t1", "t2")))
    with pytest.raises(ContractError, match="put into a golden vector"):
        require_pictures(replace(tiny_contract, classes=("a", "b"), regions=REGIONS))
