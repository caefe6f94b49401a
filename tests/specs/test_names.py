"""Names of channels, classes and masks: what no table, picture, folder or option could take is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeseg.errors import OptionError
from edgeseg.specs import ChannelSet, Contract, MaskRegion

BAD = {
    "empty": "",
    "line-end": "a\nb",
    "command": "a\x1b[31m",
    "half-of-a-pair": "a\ud800",
    "spaces": " a",
    "folder-above": "..",
    "left-out": "-",
    "reversed": "a\u202eb",
}
GOOD = ("T1 weighted", "été", "mask", "a/b", "<b>&", "t1+c", "肿瘤", "1")


@pytest.mark.parametrize("kind", BAD)
def test_a_name_that_cannot_be_seen_or_typed_is_refused(kind: str, tiny_contract: Contract) -> None:
    name = BAD[kind]
    with pytest.raises(OptionError, match="region is called"):
        MaskRegion(name=name, channels=(0,), label=1)
    with pytest.raises(OptionError, match="class is called"):
        replace(tiny_contract, classes=("whole", name), foreground=(0,))
    with pytest.raises(OptionError, match="channels are" if not name else "channel is called"):
        ChannelSet(names=("flair", name))


@pytest.mark.parametrize("name", GOOD)
def test_any_other_name_is_taken(name: str) -> None:
    assert MaskRegion(name=name, channels=(0,), label=1).name == name
    assert ChannelSet(names=(name,)).names == (name,)
