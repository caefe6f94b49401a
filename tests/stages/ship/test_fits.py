"""What does not fit an app or a page is said before anything is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeseg.errors import ContractError
from edgeseg.specs import Contract, MaskRegion
from edgeseg.stages.ship.fits import require_fit, require_page


def test_the_shipped_channels_in_any_order_fit(tiny_contract: Contract) -> None:
    require_fit(tiny_contract, "the app")
    require_fit(replace(tiny_contract, channels=("post", "pre", "flair")), "the app")


def test_other_channels_and_several_masks_do_not(tiny_contract: Contract) -> None:
    with pytest.raises(ContractError, match="takes t1, t2, and the app reads pre, flair, post; run it with"):
        require_fit(replace(tiny_contract, channels=("t1", "t2")), "the app")
    regions = tuple(MaskRegion(name=name, channels=(place,), label=place + 1) for place, name in enumerate("ab"))
    with pytest.raises(ContractError, match="put into the app"):
        require_fit(replace(tiny_contract, classes=("a", "b"), regions=regions), "the app")


def test_the_page_takes_channels_and_masks_as_they_are_named(tiny_contract: Contract) -> None:
    regions = tuple(MaskRegion(name=name, channels=(place,), label=place + 1) for place, name in enumerate("ab"))
    require_page(replace(tiny_contract, channels=("t1", "t2"), classes=("a", "b"), regions=regions))
    require_page(replace(tiny_contract, channels=("us",)))
    require_page(replace(tiny_contract, channels=tuple("abcdefgh")))


def test_the_page_takes_neither_nine_channels_nor_slices_of_another_plane(tiny_contract: Contract) -> None:
    with pytest.raises(ContractError, match="takes 9 channels, and the page takes 1 to 8; run it with: edgeseg run"):
        require_page(replace(tiny_contract, channels=tuple("abcdefghi")))
    with pytest.raises(ContractError, match="takes coronal slices of a volume, and the page reads slices as they are"):
        require_page(replace(tiny_contract, plane="coronal"))
