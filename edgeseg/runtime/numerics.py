"""Whether this host's ONNX Runtime computes int8 convolutions exactly, proven by running a tiny model.

On x86 without VNNI, ONNX Runtime's fused int8 kernels add pairs of products in 16 bits and saturate (`vpmaddubsw`), so
one and the same file gives other masks than on Arm, and an int8 accuracy measured there is no device's. What a CPU
claims to be does not settle it; the probe does: six quantised convolutions with worst-case weights and activations, in
the form of edgeseg's own artifacts (QDQ, signed activations and weights, a weight scale per channel), whose results
must equal integer arithmetic in every element. All scales are powers of two and all sums stay below 2**24, so exact
kernels and a float graph have no rounding to differ in.

`probe_int8.onnx` is written by `python -m edgeseg.targets._probe`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError
from edgeseg.runtime.onnx_session import BASIC, FUSED, FUSED_U8U8, GraphMode, open_onnx

PROBE_FILE = "probe_int8.onnx"
PROBE_SIDE_PX = 12
INPUT_SCALE, INPUT_ZERO_POINT, OUTPUT_ZERO_POINT = 2.0**-7, -128, -3
EXACT_MODES = (FUSED, FUSED_U8U8, BASIC)

Outputs = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeConv:
    """One convolution of the probe, without padding; the shapes reach the different kernels of ONNX Runtime."""

    name: str
    channels_in: int
    channels_out: int
    kernel: int
    stride: int = 1

    @property
    def output_scale(self) -> float:
        """A power of two at which the largest possible sum stays near the ends of int8."""
        largest = self.channels_in * self.kernel**2 * 255 * 127
        return float(2.0**-14 * 2.0 ** np.ceil(np.log2(largest / 100)))


PROBE_CONVS = (
    ProbeConv(name="stem6x6", channels_in=3, channels_out=8, kernel=6, stride=2),
    ProbeConv(name="first3x3", channels_in=3, channels_out=16, kernel=3),
    ProbeConv(name="narrow3x3", channels_in=8, channels_out=8, kernel=3),
    ProbeConv(name="middle3x3", channels_in=16, channels_out=16, kernel=3),
    ProbeConv(name="wide3x3", channels_in=32, channels_out=16, kernel=3),
    ProbeConv(name="point1x1", channels_in=16, channels_out=32, kernel=1),
)


def int8_kernels_exact() -> bool:
    """Tell whether the fused int8 kernels are exact here without a further option; probed once."""
    return exact_mode() is FUSED


def saved_integer_numerics() -> str:
    """Say what an integer graph gives here that is fixed in its file, as in ORT format; it runs in no other way."""
    try:
        exact = int8_kernels_exact()
    except ArtifactError:
        exact = False
    return f"int8, {'exact' if exact else 'saturating'} ({FUSED.description})"


def int8_kernels() -> str:
    """Describe the int8 arithmetic of this host's ONNX Runtime, for a result's environment."""
    try:
        mode = exact_mode()
    except ArtifactError:
        return "wrong in every graph mode"
    return f"exact ({FUSED.description})" if mode is FUSED else f"saturating; near exact by {mode.description}"


@functools.cache
def exact_mode() -> GraphMode:
    """Return the fastest graph mode whose int8 results are exact on this host; probed once per process.

    Raises:
        ArtifactError: when no mode is.
    """
    return first_exact_mode(run_probe)


def first_exact_mode(run: Callable[[GraphMode], Outputs]) -> GraphMode:
    """Return the first of `EXACT_MODES` under which `run` gives the probe's exact outputs.

    Raises:
        ArtifactError: when none does.
    """
    wanted = probe_expected()
    for mode in EXACT_MODES:
        given = run(mode)
        if all(np.array_equal(given[name], values) for name, values in wanted.items()):
            return mode
    raise ArtifactError(
        "ONNX Runtime computes int8 convolutions wrongly on this host, even with graph optimisation at its lowest; an "
        "int8 model cannot be run exactly here, so use a float model or another host"
    )


def run_probe(mode: GraphMode) -> dict[str, NDArray[np.float32]]:
    """Run the probe under a graph mode; each output is `(1, C, h, w) float32`, dequantised."""
    model = resources.files("edgeseg.runtime").joinpath(PROBE_FILE).read_bytes()
    session = open_onnx(model, mode=mode, threads=1)
    names = [conv.name for conv in PROBE_CONVS]
    feeds = {f"{conv.name}_input": probe_input(conv) for conv in PROBE_CONVS}
    return dict(zip(names, session.run(names, feeds), strict=True))


def probe_expected() -> dict[str, NDArray[np.float32]]:
    """Return the outputs that integer arithmetic gives, each `(1, C, h, w) float32`."""
    return {conv.name: _expected(conv) for conv in PROBE_CONVS}


def probe_levels(conv: ProbeConv) -> NDArray[np.int8]:
    """Input levels `(1, C, 12, 12) int8`: three in four at the top of the range, the rest spread over it."""
    pattern = _pattern((1, conv.channels_in, PROBE_SIDE_PX, PROBE_SIDE_PX), 4241, 7)
    levels: NDArray[np.int8] = np.where(pattern % 4 == 0, pattern % 256 - 128, 127).astype(np.int8)
    return levels


def probe_input(conv: ProbeConv) -> NDArray[np.float32]:
    """The real values of `probe_levels`."""
    return ((probe_levels(conv).astype(np.int32) - INPUT_ZERO_POINT) * INPUT_SCALE).astype(np.float32)


def probe_weights(conv: ProbeConv) -> NDArray[np.int8]:
    """Weights `(O, I, k, k) int8`: all at one end, all at the other, two channels spread, the rest mostly at an end."""
    pattern = _pattern((conv.channels_out, conv.channels_in, conv.kernel, conv.kernel), 7919, 104729)
    weights = np.where(pattern % 3 == 0, -127, 127)
    weights[0], weights[1] = 127, -127
    weights[2:4] = pattern[2:4] % 255 - 127
    levels: NDArray[np.int8] = weights.astype(np.int8)
    return levels


def probe_bias(conv: ProbeConv) -> NDArray[np.int32]:
    """Bias `(O,) int32`, in units of input scale times weight scale."""
    return (_pattern((conv.channels_out,), 613, 11) % 2001 - 1000).astype(np.int32)


def probe_weight_scales(conv: ProbeConv) -> NDArray[np.float32]:
    """Weight scales `(O,) float32`, powers of two that differ from channel to channel."""
    return np.asarray(np.exp2(-7.0 - np.arange(conv.channels_out) % 2), dtype=np.float32)


def _expected(conv: ProbeConv) -> NDArray[np.float32]:
    levels = probe_levels(conv)[0].astype(np.int64) - INPUT_ZERO_POINT
    windows = np.lib.stride_tricks.sliding_window_view(levels, (conv.kernel, conv.kernel), axis=(1, 2))
    windows = windows[:, :: conv.stride, :: conv.stride]
    sums = np.einsum("chwij,ocij->ohw", windows, probe_weights(conv).astype(np.int64))
    sums += probe_bias(conv).astype(np.int64)[:, np.newaxis, np.newaxis]
    real = sums * (INPUT_SCALE * probe_weight_scales(conv).astype(np.float64))[:, np.newaxis, np.newaxis]
    output = np.clip(np.rint(real / conv.output_scale) + OUTPUT_ZERO_POINT, -128, 127)
    return np.asarray((output - OUTPUT_ZERO_POINT) * conv.output_scale, dtype=np.float32)[np.newaxis]


def _pattern(shape: tuple[int, ...], square: int, linear: int) -> NDArray[np.int64]:
    """Scattered non-negative integers below 65521 by a fixed formula, the same on every host and NumPy version."""
    index = np.arange(int(np.prod(shape)), dtype=np.int64)
    return ((index * index * square + index * linear + (index >> 3) * 40503) % 65521).reshape(shape)
