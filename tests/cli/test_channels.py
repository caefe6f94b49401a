"""Options that are called like channels."""

from __future__ import annotations

import pytest

from edgeseg.cli._channels import _spelled_out, pairs
from edgeseg.errors import OptionError

KNOWN = {"--out", "--overlays", "--series", "--channel"}


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("m.onnx --t1 a.nii -o x", "m.onnx --channel t1=a.nii -o x"),
        ("--t1=a.nii --out x", "--channel t1=a.nii --out x"),
        ("--t1-series 3", "--series t1=3"),
        ("--flair-series=AX=2", "--series flair=AX=2"),
        ("--overlay p", "--overlay p"),
        ("--t1 --out x", "--t1 --out x"),
        ("--t1", "--t1"),
        ("-- --t1 a", "-- --t1 a"),
    ],
    ids=["space", "sign", "series", "sign in value", "mistyped option", "no value", "alone", "after two dashes"],
)
def test_what_is_no_option_is_a_channel(given: str, taken: str) -> None:
    assert list(_spelled_out(given.split(), KNOWN)) == taken.split()


@pytest.mark.parametrize("text", ["t1", "=a", "t1="])
def test_pairs_need_both_sides(text: str) -> None:
    with pytest.raises(OptionError, match="--channel NAME=PATH is needed"):
        pairs([text], "--channel NAME=PATH")


def test_a_channel_is_named_once() -> None:
    with pytest.raises(OptionError, match="'t1' was given twice, as 'a' and 'b'; leave one out"):
        pairs(["t1=a", "t1=b"], "--channel NAME=PATH")
    assert pairs(None, "--channel NAME=PATH") == {}
