"""What `trust` and `choose` say of an imported network, whose file does not say whom it held out."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from edgeseg.errors import DatasetError
from edgeseg.stages.choose.choose import _groups
from edgeseg.stages.trust.outputs import _too_few


def imported(*patients: str) -> Any:
    header = SimpleNamespace(foreign=object())
    run = SimpleNamespace(folder=Path("runs/mine"), checkpoint=SimpleNamespace(header=header), patients=patients)
    return cast(Any, run)


def test_trust_says_why_and_what_can_get_the_numbers() -> None:
    told = _too_few((imported(),), 0, unseen=False)
    assert "in all (0)" in told
    assert "runs/mine was imported" in told
    assert "say so with --unseen" in told
    assert "--unseen" not in _too_few((imported("p"),), 1, unseen=True)


def test_choose_says_how_many_and_that_phantoms_have_none() -> None:
    with pytest.raises(DatasetError, match=r"in all \(0\).* of whom phantoms have none"):
        _groups((imported(),))
