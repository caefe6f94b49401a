"""Taking channels out: the function stays where they were zero, through every skip, join and shared convolution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeseg.errors import OptionError
from edgeseg.recipes import importance
from edgeseg.recipes.channel_prune import choose_channels
from edgeseg.recipes.cut import anatomy, cut_weights
from edgeseg.specs import ImageSpec, VariantSpec
from edgeseg.variants import VARIANTS, build_model, census, slots
from tests.recipes._dead import with_dead_channels

IMAGE_SPEC = ImageSpec(height=64, width=64)
FORMS = [
    *(VariantSpec(name=name, alpha=0.0625, stem="quarter") for name in VARIANTS),
    VariantSpec(name="alphax", alpha=0.0625, stem="half"),
    VariantSpec(name="unet-bn", alpha=0.0625, stem="full"),
    VariantSpec(name="alphax", alpha=1.0, stem="half", levels=(4, 8, 8, 12, 16), convolutions=(1, 1, 3, 2, 1)),
]
MULTIPLE = 2


@pytest.mark.parametrize("spec", FORMS, ids=lambda s: s.slug)
def test_a_network_without_its_dead_channels_is_the_same_function(spec: VariantSpec) -> None:
    rng = np.random.default_rng(0)
    model = build_model(spec, IMAGE_SPEC)
    found = anatomy(model, slots(spec))
    arrays = with_dead_channels(model, found, rng)
    model.set_weights(list(arrays.values()))
    kept = {slot: np.arange(0, found.widths[slot], 2) for slot in slots(spec)}
    smaller = replace(spec, widths=tuple(len(kept[slot]) for slot in slots(spec)))
    pruned = build_model(smaller, IMAGE_SPEC)
    pruned.set_weights(list(cut_weights(model, found, arrays, kept).values()))
    images = rng.random((2, 64, 64, 3), dtype=np.float32)
    wanted, given = (np.asarray(m(images, training=False)) for m in (model, pruned))
    assert set(found.slots) == set(slots(spec))
    assert np.ptp(wanted) > 0
    np.testing.assert_allclose(given, wanted, rtol=0, atol=1e-5 * np.ptp(wanted))
    before, after = census(model), census(pruned)
    assert after.parameters < before.parameters / 2
    assert found.macs(found.widths) == before.macs
    assert found.macs(found.widths | {s: len(k) for s, k in kept.items()}) == after.macs


def test_widths_survive_json_and_give_the_network_its_name() -> None:
    from edgeseg.jsonio import from_json, to_json

    spec = VariantSpec(widths=(4,) * 22)
    assert from_json(VariantSpec, to_json(spec)) == spec
    assert spec.slug.startswith("alphax-0.125-half-w")
    assert spec.slug != VariantSpec(widths=(4,) * 21 + (8,)).slug
    old = '{"name": "alphax", "alpha": 0.125, "stem": "half", "profile": "double"}'
    assert from_json(VariantSpec, old) == VariantSpec()
    with pytest.raises(OptionError, match="at least 1 channel"):
        VariantSpec(widths=(4, 0))
    with pytest.raises(OptionError, match=r"widths has 3 entries and the network 22 layers"):
        build_model(VariantSpec(widths=(4, 4, 4)), IMAGE_SPEC)


def test_the_arithmetic_asked_for_is_reached_by_what_matters_least() -> None:
    spec = VariantSpec(name="alphax", alpha=0.0625, stem="half")
    model = build_model(spec, IMAGE_SPEC)
    found = anatomy(model, slots(spec))
    scores = {slot: 1.0 + np.arange(found.widths[slot], dtype=float) for slot in slots(spec)}
    scores["bottom_1"] = np.zeros(found.widths["bottom_1"])
    kept = choose_channels(found, scores, macs=0.5, multiple=MULTIPLE)
    widths = found.widths | {slot: len(k) for slot, k in kept.items()}
    assert found.macs(widths) <= 0.5 * found.macs(found.widths)
    assert all(width % MULTIPLE == 0 for slot, width in widths.items() if slot in scores)
    assert widths["bottom_1"] == MULTIPLE
    assert all(k[-1] == found.widths[slot] - 1 for slot, k in kept.items() if slot != "bottom_1")
    with pytest.raises(OptionError, match=r"keeps at least 0\.\d+ of its multiply-accumulates"):
        choose_channels(found, scores, macs=0.001, multiple=MULTIPLE)


def test_kernels_that_take_channels_in_groups_lose_whole_groups_first() -> None:
    spec = VariantSpec(name="alphax", alpha=0.125, stem="half")
    found = anatomy(build_model(spec, IMAGE_SPEC), slots(spec))
    assert found.work(found.widths, lanes=1) == found.macs(found.widths)
    nearly, whole = (found.widths | {"bottom_2": wide} for wide in (120, 112))
    assert found.work(whole, lanes=16) < found.work(nearly, lanes=16)
    assert found.work(nearly, lanes=16) - found.work(nearly, lanes=1) > 0
    scores = {slot: np.ones(found.widths[slot]) for slot in slots(spec)}
    works = []
    for lanes in (1, 16):
        kept = choose_channels(found, scores, macs=0.5, multiple=MULTIPLE, lanes=lanes)
        widths = found.widths | {slot: len(k) for slot, k in kept.items()}
        assert found.macs(widths) <= 0.5 * found.macs(found.widths)
        works.append(found.work(widths, lanes=16))
    assert works[1] < works[0]


@pytest.mark.parametrize("criterion", ["taylor", "activation", "l1", "gamma"])
def test_every_criterion_finds_the_channels_that_nothing_would_miss(criterion: str) -> None:
    import keras

    spec, rng = VariantSpec(name="unet-bn", alpha=0.0625, stem="quarter"), np.random.default_rng(0)
    model = build_model(spec, IMAGE_SPEC)
    found = anatomy(model, slots(spec))
    arrays = with_dead_channels(model, found, rng)
    model.set_weights(list(arrays.values()))
    if criterion in ("l1", "gamma"):
        scores = importance.from_weights(model, found, arrays, criterion=criterion)
    else:
        batch = rng.random((2, 64, 64, 3), dtype=np.float32), np.ones((2, 64, 64, 1), np.float32)
        scores = importance.from_data(keras, model, found, [batch], criterion=criterion, loss="bce-dice")
    assert set(scores) == set(slots(spec))
    assert all((value[1::2] == 0).all() for value in scores.values())
    assert sum(value[0::2].sum() for value in scores.values()) > 0
