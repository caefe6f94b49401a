from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError
from edgeseg.runtime import numerics
from edgeseg.runtime.numerics import PROBE_CONVS, ProbeConv, first_exact_mode, probe_expected
from edgeseg.runtime.onnx_session import BARE, BASIC, FUSED, FUSED_U8U8, GraphMode
from edgeseg.targets import _probe

Outputs = dict[str, NDArray[np.float32]]


@pytest.fixture
def _forget_the_probe() -> Iterator[None]:
    numerics.exact_mode.cache_clear()
    yield
    numerics.exact_mode.cache_clear()


def saturated(conv: ProbeConv) -> NDArray[np.float32]:
    """What kernels give that add pairs of neighbouring input channels' products in saturating 16 bits."""
    levels = numerics.probe_levels(conv)[0].astype(np.int64) + 128
    windows = np.lib.stride_tricks.sliding_window_view(levels, (conv.kernel, conv.kernel), axis=(1, 2))
    windows = windows[:, :: conv.stride, :: conv.stride]
    products = windows[np.newaxis] * numerics.probe_weights(conv).astype(np.int64)[:, :, np.newaxis, np.newaxis]
    padded = np.concatenate([products, np.zeros_like(products[:, : conv.channels_in % 2])], axis=1)
    sums = np.clip(padded[:, ::2] + padded[:, 1::2], -32768, 32767).sum(axis=(1, 4, 5))
    sums = sums + numerics.probe_bias(conv)[:, np.newaxis, np.newaxis]
    real = sums * (2.0**-7 * numerics.probe_weight_scales(conv).astype(float))[:, np.newaxis, np.newaxis]
    output = np.clip(np.rint(real / conv.output_scale) - 3, -128, 127)
    return np.asarray((output + 3) * conv.output_scale, dtype=np.float32)[np.newaxis]


def test_the_committed_probe_is_what_its_module_writes() -> None:
    committed = resources.files("edgeseg.runtime").joinpath(numerics.PROBE_FILE).read_bytes()
    assert committed == _probe.probe_bytes()


@pytest.mark.parametrize("mode", [BARE, BASIC], ids=lambda mode: mode.description)
def test_a_float_graph_agrees_with_integer_arithmetic(mode: GraphMode) -> None:
    given = numerics.run_probe(mode)
    for name, wanted in probe_expected().items():
        np.testing.assert_array_equal(given[name], wanted)


@pytest.mark.parametrize("conv", PROBE_CONVS, ids=lambda conv: conv.name)
def test_each_convolution_would_show_saturation(conv: ProbeConv) -> None:
    wanted = probe_expected()[conv.name]
    assert len(np.unique(wanted)) > 10
    assert np.mean(saturated(conv) != wanted) > 0.5


@pytest.mark.parametrize("conv", PROBE_CONVS, ids=lambda conv: conv.name)
def test_every_sum_is_exact_in_float32(conv: ProbeConv) -> None:
    assert conv.channels_in * conv.kernel**2 * 255 * 127 + 1000 < 2**24


@pytest.mark.usefixtures("_forget_the_probe")
def test_this_host_has_an_exact_mode() -> None:
    mode = numerics.exact_mode()
    assert mode in numerics.EXACT_MODES
    assert numerics.int8_kernels_exact() == (mode is FUSED)


@pytest.mark.parametrize(
    ("bad", "chosen"), [((), FUSED), ((FUSED,), FUSED_U8U8), ((FUSED, FUSED_U8U8), BASIC)], ids=["none", "one", "two"]
)
def test_modes_that_saturate_are_passed_over(bad: tuple[GraphMode, ...], chosen: GraphMode) -> None:
    def run(mode: GraphMode) -> Outputs:
        return {conv.name: saturated(conv) for conv in PROBE_CONVS} if mode in bad else probe_expected()

    assert first_exact_mode(run) is chosen


def test_one_wrong_element_in_one_convolution_is_enough() -> None:
    def run(mode: GraphMode) -> Outputs:
        outputs = probe_expected()
        if mode is FUSED:
            outputs["point1x1"][0, 0, 0, 0] += 1
        return outputs

    assert first_exact_mode(run) is FUSED_U8U8


@pytest.mark.usefixtures("_forget_the_probe")
def test_a_host_where_nothing_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(mode: GraphMode) -> Mapping[str, NDArray[np.float32]]:
        return {conv.name: saturated(conv) for conv in PROBE_CONVS}

    monkeypatch.setattr(numerics, "run_probe", run)
    with pytest.raises(ArtifactError, match="wrongly on this host"):
        numerics.exact_mode()
    assert numerics.int8_kernels() == "wrong in every graph mode"


@pytest.mark.usefixtures("_forget_the_probe")
def test_the_environment_names_a_host_that_saturates(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(mode: GraphMode) -> Mapping[str, NDArray[np.float32]]:
        return {conv.name: saturated(conv) for conv in PROBE_CONVS} if mode is FUSED else probe_expected()

    monkeypatch.setattr(numerics, "run_probe", run)
    assert not numerics.int8_kernels_exact()
    assert numerics.int8_kernels() == "saturating; near exact by fused U8U8 kernels"


@pytest.mark.usefixtures("_forget_the_probe")
def test_the_probe_runs_once_per_process(monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []

    def run(mode: GraphMode) -> Outputs:
        modes.append(mode)
        return probe_expected()

    monkeypatch.setattr(numerics, "run_probe", run)
    assert numerics.int8_kernels_exact()
    assert numerics.int8_kernels() == "exact (integer graph)"
    assert modes == [FUSED]
