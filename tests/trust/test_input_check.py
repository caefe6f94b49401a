"""What tells that an input is odd: which slices and points are counted, what is certain, and what signs say."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from edgeseg.data.phantom import phantom_volume
from edgeseg.errors import OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.specs import InputLook, Trust
from edgeseg.specs.input_look import feature_count
from edgeseg.trust import InputTally, Oddity, input_features, input_oddity, slices_looked_at

NAMES = ("pre", "flair", "post")
LOOK = InputLook(
    features=(0, 13),
    typical=(0.5, 3.0),
    spread=(0.1, 0.5),
    signs=("swapped 0 2", "too-small", "blurred"),
    on=((1,), (0,), (0, 1)),
    weights=((1.0,), (-1.0,), (-0.5, 0.1)),
    bias=(-100.0, -1.0, -1.2),
    patients=20,
    data="phantom",
)


def tally_of(images: np.ndarray) -> InputTally:
    tally = InputTally(images.shape[3])
    for index in slices_looked_at(len(images)):
        tally.add(images[index])
    return tally


@pytest.fixture(scope="module")
def phantom() -> np.ndarray:
    return phantom_volume(0, seed=0).images[::4]


@pytest.mark.parametrize("count", [1, 2, 11, 12, 13, 155])
def test_at_most_twelve_slices_are_looked_at_from_the_first_to_the_last(count: int) -> None:
    found = slices_looked_at(count)
    assert found[0] == 0
    assert found[-1] == count - 1
    assert len(found) == min(count, 12)
    assert all(one < other for one, other in pairwise(found))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 8])
def test_there_are_as_many_features_as_the_contract_is_held_to(channels: int, phantom: np.ndarray) -> None:
    found = input_features(tally_of(np.resize(phantom[2:4, 96:160, 96:160], (2, 64, 64, channels))))
    assert found is not None
    assert len(found) == feature_count(channels)
    assert np.isfinite(found).all()


def test_a_black_volume_has_no_features_and_nothing_is_said_of_it() -> None:
    tally = tally_of(np.zeros((3, 20, 30, 3), np.uint8))
    assert input_features(tally) is None
    assert input_oddity(tally, LOOK, NAMES) is None


def test_what_is_dim_throughout_is_empty() -> None:
    dim = np.random.default_rng(0).integers(0, 9, (3, 64, 64, 3), dtype=np.uint8)
    found = input_oddity(tally_of(dim), LOOK, NAMES)
    assert found is not None
    assert found.kind == "empty"


@pytest.mark.parametrize("channel", range(3))
def test_a_channel_without_a_picture_is_missing(channel: int, phantom: np.ndarray) -> None:
    odd = phantom.copy()
    odd[..., channel] = 7
    found = input_oddity(tally_of(odd), None, NAMES)
    assert found == Oddity(
        kind="missing", channels=(NAMES[channel],), what=f"'{NAMES[channel]}' holds one value throughout"
    )


def test_two_channels_that_hold_the_same_picture_are_told_and_others_are_not(phantom: np.ndarray) -> None:
    assert input_oddity(tally_of(phantom), None, NAMES) is None
    odd = phantom.copy()
    odd[..., 2] = odd[..., 1] - (odd[..., 1] > 100)
    found = input_oddity(tally_of(odd), None, NAMES)
    assert found is not None
    assert (found.kind, found.channels) == ("copied", ("flair", "post"))


def test_a_sign_needs_a_score_above_0_and_the_nearest_to_1_is_told(phantom: np.ndarray) -> None:
    small = np.zeros_like(phantom)
    small[:, 100:164, 100:164] = phantom[:, ::4, ::4]
    found = input_oddity(tally_of(small), LOOK, NAMES)
    assert found is not None
    assert found.kind == "blurred"
    never = replace(LOOK, bias=(-100.0, -100.0, -100.0))
    assert input_oddity(tally_of(small), never, NAMES) is None


def test_a_swap_names_its_channels(phantom: np.ndarray) -> None:
    always = replace(LOOK, bias=(100.0, -100.0, -100.0))
    found = input_oddity(tally_of(phantom), always, NAMES)
    assert found is not None
    assert found.what == "'pre' and 'post' look exchanged"


def test_a_look_survives_a_round_trip() -> None:
    assert from_json(Trust, to_json(Trust(input=LOOK))) == Trust(input=LOOK)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"typical": (0.5,)}, "as many of each"),
        ({"features": (0, 0)}, "each once"),
        ({"spread": (0.1, 0.0)}, "divided by"),
        ({"bias": (1e9, 0.0, 0.0)}, "smaller ones"),
        ({"bias": (0.0,)}, "biases"),
        ({"signs": ("swapped 0 2", "too-small", "tilted")}, "choose one of"),
        ({"signs": ("swapped 0", "too-small", "blurred")}, "it names 2"),
        ({"signs": ("swapped 0 x", "too-small", "blurred")}, "channels' numbers"),
        ({"signs": ("too-small", "too-small", "blurred")}, "twice"),
        ({"on": ((1,), (0,), (0,))}, "1 features and 2 weights"),
        ({"on": ((2,), (0,), (0, 1))}, "does not list"),
        ({"patients": 0}, "at least 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_numbers_that_make_no_sense_are_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        replace(LOOK, **changes)  # type: ignore[arg-type]


def test_a_look_of_more_channels_than_the_network_takes_is_refused() -> None:
    with pytest.raises(OptionError, match="more channels"):
        LOOK.check_channels(2)
    with pytest.raises(OptionError, match="feature 99"):
        replace(LOOK, features=(0, 99)).check_channels(1)
