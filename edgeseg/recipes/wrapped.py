"""Which layers of somebody's network TensorFlow Model Optimization can train, in the tf_keras that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

QUANTIZED = frozenset({
    "Activation", "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Conv2D", "Conv2DTranspose",
    "Cropping2D", "Dense", "DepthwiseConv2D", "Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "InputLayer",
    "LeakyReLU", "MaxPooling2D", "Permute", "ReLU", "Reshape", "UpSampling2D", "ZeroPadding2D",
})  # fmt: skip
"""What its registry of 8 bits wraps, of layers with one operation each."""
TRAINED = QUANTIZED | {
    "Average", "ELU", "GroupNormalization", "LayerNormalization", "Maximum", "Minimum", "Multiply", "PReLU",
    "SeparableConv2D", "Softmax", "Subtract",
}  # fmt: skip
"""What can be written in tf_keras, so that convolutions between can be pruned and clustered."""
_FOLDED = ("Conv2D", "DepthwiseConv2D")
_ACTIVATIONS = ("linear", "relu", "relu6", "sigmoid", "tanh", "gelu", "silu", "swish", "softmax")


def unwrapped(model: Any, *, quantized: bool) -> dict[str, str]:
    """Name the layers that cannot be trained so, and say in a clause why.

    Args:
        model: a flat Keras network; one operation a layer where it is to be quantized.
        quantized: whether all layers are wrapped to imitate 8 bits, or only convolutions are pruned or clustered.
    """
    known = QUANTIZED if quantized else TRAINED
    calls: dict[int, list[Any]] = {}
    for nodes in model._nodes_by_depth.values():  # noqa: SLF001  (no public way)
        for node in nodes:
            calls.setdefault(id(node.operation), []).append(node)
    found = {}
    for operation in model.operations:
        if why := _why(operation, calls[id(operation)], known, quantized=quantized):
            found[str(operation.name)] = why
    return found


def _why(operation: Any, calls: Sequence[Any], known: Iterable[str], *, quantized: bool) -> str:
    kind = type(operation).__name__
    if kind not in known or not type(operation).__module__.startswith("keras.src.layers"):
        return f"a {_shown(operation)}"
    if len(calls) > 1:
        return f"a {kind} that is used {len(calls)} times"
    if kind == "Activation" and operation.activation.__name__ not in _ACTIVATIONS:
        return f"the activation {operation.activation.__name__}"
    if quantized and kind == "BatchNormalization":
        maker = calls[0].input_tensors[0]._keras_history.operation  # noqa: SLF001
        if type(maker).__name__ not in _FOLDED:
            return f"a BatchNormalization behind a {type(maker).__name__}"
    if getattr(operation, "groups", 1) > 1 and kind == "Conv2D":
        return f"a convolution in {operation.groups} groups"
    return ""


def _shown(operation: Any) -> str:
    """Name what a layer does: of edgeseg's own layers their function, of others their kind."""
    return str(getattr(operation, "function", "") or type(operation).__name__)
