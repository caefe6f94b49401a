"""What the values are that a network gives, told from the operations at its end: logits, probabilities, or unknown."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from edgeseg.results import OutputKind

LOGITS, PROBABILITIES, SOFTMAX, UNKNOWN = "logits", "probabilities", "softmax", "unknown"
_MOVES = frozenset({
    "identity", "reshape", "transpose", "permute", "cast", "dequantizelinear", "quantizelinear", "dequantize",
    "quantize", "squeeze", "unsqueeze", "expanddims", "flatten", "dropout", "resize", "upsample", "resizebilinear",
    "resizenearestneighbor", "upsampling2d", "resizing",
})  # fmt: skip
"""Operations that move values, or mean several of them, and leave what kind they are."""
_PICKS = frozenset({"slice", "stridedslice", "gather", "cropping2d", "getitem"})
"""Likewise, and they can take one channel out of several."""
_SIGMOIDS = frozenset({"sigmoid", "logistic", "hardsigmoid", "qlinearsigmoid"})
_SOFTMAXES = frozenset({"softmax", "qlinearsoftmax"})
_SUMS = frozenset({
    "conv", "convtranspose", "convinteger", "qlinearconv", "fusedconv", "matmul", "matmulinteger", "gemm", "fusedgemm",
    "qgemm", "qlinearmatmul", "batchnormalization", "conv2d", "conv2dtranspose", "transposeconv", "depthwiseconv2d",
    "separableconv2d", "dense", "fullyconnected",
})  # fmt: skip
"""Weighted sums: their results can be any number, unless an activation is part of the operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation: its name as the format has it, what it takes, data first, and the activation fused into it."""

    operation: str
    inputs: tuple[Hashable, ...]
    activation: str = ""


def output_kind(
    outputs: Collection[Hashable], makers: Mapping[Any, Step], constants: Collection[Hashable] = ()
) -> OutputKind:
    """Follow a network's one output back to the operation that makes its values.

    Args:
        outputs: names of the network's outputs.
        makers: by the name of a value, what makes it.
        constants: names of stored values.
    """
    if len(outputs) != 1:
        return OutputKind(kind=UNKNOWN, why=f"it has {len(outputs)} outputs")
    (place,) = outputs
    picked = False
    for _ in range(len(makers) + 1):
        step = makers.get(place)
        if step is None:
            return OutputKind(kind=UNKNOWN, why="its output is made by no operation in the file")
        name = _plain(step.operation)
        if name not in _MOVES | _PICKS or not step.inputs:
            return _kind(step, makers, constants, picked=picked)
        picked = picked or name in _PICKS
        place = step.inputs[0]
    return OutputKind(kind=UNKNOWN, why="its operations form a circle")


def _kind(step: Step, makers: Mapping[Any, Step], constants: Collection[Hashable], *, picked: bool) -> OutputKind:
    name, activation = _plain(step.operation), _plain(step.activation)
    if name in _SUMS and activation == "":
        return OutputKind(kind=LOGITS, why=f"ends in {step.operation}")
    if name in _SIGMOIDS or (name in _SUMS and activation in _SIGMOIDS):
        return OutputKind(kind=PROBABILITIES, why=f"ends in {step.activation or step.operation}")
    if name in _SOFTMAXES or (name in _SUMS and activation in _SOFTMAXES):
        return OutputKind(kind=PROBABILITIES if picked else SOFTMAX, why=f"ends in {step.activation or step.operation}")
    if name == "add" and activation == "" and _bias_added(step, makers, constants):
        return OutputKind(kind=LOGITS, why="ends in a weighted sum and its bias")
    fused = f" with the activation {step.activation}" if step.activation else ""
    return OutputKind(kind=UNKNOWN, why=f"ends in {step.operation}{fused}, which may give either")


def _bias_added(step: Step, makers: Mapping[Any, Step], constants: Collection[Hashable]) -> bool:
    rest = [place for place in step.inputs if place not in constants]
    made = makers.get(rest[0]) if len(rest) == 1 else None
    return made is not None and _plain(made.operation) in _SUMS and made.activation == ""


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
