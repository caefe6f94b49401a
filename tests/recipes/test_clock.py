"""Channels weighed by what layers take: those of a slow layer go, and a file of another network is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.checkpoint import Checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.errors import OptionError
from edgeseg.jsonio import to_json
from edgeseg.recipes import channel_prune
from edgeseg.recipes.channel_prune import choose_channels
from edgeseg.recipes.clock import read_clock
from edgeseg.recipes.cut import Anatomy, anatomy
from edgeseg.results import BenchDevice, GemmRate, LayersResult, LayerTime
from edgeseg.specs import ChannelPrune, ImageSpec, VariantSpec
from edgeseg.stages.compress.workbench import StepWorkbench
from edgeseg.variants import build_model, slots

SPEC = VariantSpec(name="alphax", alpha=0.0625, stem="half")
CROP, SLICE = 32, 64
MULTIPLE = 2


@pytest.fixture(scope="module")
def found() -> Anatomy:
    """The anatomy of a network as it is trained, on crops."""
    return anatomy(build_model(SPEC, ImageSpec(height=CROP, width=CROP)), slots(SPEC))


def times(
    found: Anatomy,
    *,
    slow: tuple[str, ...] = (),
    slower: float = 1.0,
    given: int = 1,
    channels_first: bool = False,
    enlarged: int = SLICE // CROP,
) -> LayersResult:
    """What `edgeseg bench --layers` finds for the network on whole slices: a nanosecond a multiply-accumulate."""
    area = enlarged**2
    layers = [_layer((1, SLICE, SLICE, 1), 5.0, 0)]
    for product in found.products:
        side = 2 if product.together > 1 else 1
        high, wide = (enlarged * length // side for length in product.size)
        channels = product.together * sum(found.widths[s] for s in product.outputs)
        filled = product.work(found.widths, lanes=given) * area
        ms = 1e-6 * filled * (slower if set(product.outputs) & set(slow) else 1.0)
        shape = (1, channels, high, wide) if channels_first else (1, high, wide, channels)
        layers.append(_layer(shape, ms, product.work(found.widths) * area))
    return LayersResult(
        device=BenchDevice(cpu="C", architecture="x86_64", cores=1, os="Linux", versions={}),
        file="model.tflite",
        sha256="0" * 64,
        runtime="litert",
        method="truncated",
        threads=1,
        runs=1,
        warmup_runs=0,
        whole_ms=1.0,
        channels_out=given,
        channels_in=1,
        gemm=GemmRate(threads=1, macs_per_s=1.0, side=8, repeats=1),
        copy_bytes_per_s=1.0,
        layers=tuple(layers),
        seed=0,
    )


def _layer(shape: tuple[int, ...], ms: float, macs: int) -> LayerTime:
    return LayerTime(
        name="layer",
        kind="CONV_2D",
        shape=shape,
        ms=ms,
        share=0.1,
        macs=macs,
        bytes_moved=1,
        lanes_filled=None,
        arithmetic_ms=None,
        memory_ms=1.0,
    )


def written(path: Path, result: LayersResult) -> Path:
    path.write_text(to_json(result))
    return path


@pytest.mark.parametrize("channels_first", [False, True])
def test_a_layer_takes_what_was_measured_for_whole_slices(found: Anatomy, tmp_path: Path, channels_first: bool) -> None:
    path = written(tmp_path / "layers.json", times(found, channels_first=channels_first))
    clock = read_clock(path, found, enlarge=(SLICE / CROP,) * 2)
    measured = found.macs(found.widths) * (SLICE // CROP) ** 2 * 1e-9
    assert clock.seconds(found, found.widths) == pytest.approx(measured)
    fewer = found.widths | {"enc1_1": 2}
    assert clock.seconds(found, fewer) == pytest.approx(found.macs(fewer) * (SLICE // CROP) ** 2 * 1e-9)


def test_channels_of_a_slow_layer_go_before_others(found: Anatomy, tmp_path: Path) -> None:
    scores = {slot: np.ones(found.widths[slot]) for slot in slots(SPEC)}
    left = {}
    for slower in (1.0, 50.0):
        path = written(tmp_path / "layers.json", times(found, slow=("bottom_1",), slower=slower))
        clock = read_clock(path, found, enlarge=(SLICE / CROP,) * 2)
        kept = choose_channels(found, scores, macs=0.9, multiple=MULTIPLE, clock=clock, time=0.5)
        widths = found.widths | {slot: len(k) for slot, k in kept.items()}
        assert clock.seconds(found, widths) <= 0.5 * clock.seconds(found, found.widths)
        own = next(p for p in found.products if p.outputs == ("bottom_1",))
        left[slower] = own.work(widths) / own.work(found.widths)
    assert left[50.0] < left[1.0]
    with pytest.raises(OptionError, match=r"time is 0\.0001, .* keeps at least 0\.\d+ of its time"):
        choose_channels(found, scores, macs=0.9, multiple=MULTIPLE, clock=clock, time=0.0001)
    kept = choose_channels(found, scores, macs=0.3, multiple=MULTIPLE, clock=clock, time=0.9)
    assert found.macs(found.widths | {slot: len(k) for slot, k in kept.items()}) <= 0.3 * found.macs(found.widths)


def test_channels_that_leave_a_group_half_empty_save_no_time(found: Anatomy, tmp_path: Path) -> None:
    path = written(tmp_path / "layers.json", times(found, given=4))
    clock = read_clock(path, found, enlarge=(SLICE / CROP,) * 2)
    wide = found.widths["enc2_1"]
    one, group = (clock.seconds(found, found.widths | {"enc2_1": wide - less}) for less in (1, 4))
    own = next(p for p in found.products if p.outputs == ("enc2_1",))
    rest = clock.seconds(found, found.widths) - one
    assert clock.filled(own, found.widths | {"enc2_1": wide - 1}) == clock.filled(own, found.widths)
    assert clock.seconds(found, found.widths) - group > 4 * rest


def test_times_of_another_network_are_refused(found: Anatomy, tmp_path: Path) -> None:
    document = times(found)
    with pytest.raises(OptionError, match=r"measured on another network: it has no layer of [\d,]+ multiply-acc"):
        read_clock(written(tmp_path / "other.json", document), found, enlarge=(1.0, 1.0))
    silent = replace(document, layers=tuple(replace(layer, macs=None) for layer in document.layers))
    with pytest.raises(OptionError, match=r"does not say what its layers compute; measure the \.onnx or \.tflite"):
        read_clock(written(tmp_path / "silent.json", silent), found, enlarge=(2.0, 2.0))
    with pytest.raises(OptionError, match="cannot be read"):
        read_clock(tmp_path / "absent.json", found, enlarge=(2.0, 2.0))
    (tmp_path / "table.json").write_text('{"rows": []}')
    with pytest.raises(OptionError, match=r"edgeseg bench --layers FILE --json > layers\.json"):
        read_clock(tmp_path / "table.json", found, enlarge=(2.0, 2.0))


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(OptionError, match="time needs layers"):
        ChannelPrune(time=0.5)
    with pytest.raises(OptionError, match="strictly between 0 and 1"):
        ChannelPrune(layers="layers.json", time=1.5)
    with pytest.raises(OptionError, match="so leave lanes out"):
        replace(ChannelPrune(layers="layers.json"), lanes=16)


def test_a_network_is_cut_by_the_clock_and_says_what_time_is_left(
    parent: Checkpoint, cache: SliceCache, tmp_path: Path
) -> None:
    bench = StepWorkbench(cache=cache, folder=tmp_path, parent=parent, teacher=parent)
    model, own = bench.network(parent), slots(parent.header.variant)
    whole = build_model(parent.header.variant, parent.header.image)
    path = written(tmp_path / "layers.json", times(anatomy(whole, own), enlarged=1))
    spec = ChannelPrune(macs=0.9, layers=str(path), time=0.5, criterion="l1", multiple=2)
    made = channel_prune.cut(parent, spec, bench)
    found = anatomy(model, own)
    (told,) = channel_prune.told(parent, spec, made, found, model)
    share = re.search(r"take (\d+) % of the time", told)
    assert share is not None
    assert 10 < int(share[1]) <= 50
    assert channel_prune.told(parent, replace(spec, layers="", time=None), made, found, model) == ()
