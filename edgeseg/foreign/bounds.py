"""What the first and the last steps of a flat network tell of the numbers that go in and come out."""

from __future__ import annotations

from typing import Any

import numpy as np

RAW_BYTES = 0.05
"""A first step that multiplies by less is meant for bytes, one that multiplies by more for values up to 1."""
_LAID_OUT = ("Permute", "Cast", "Reshape", "ZeroPadding2D")
_SHIFTS = ("add", "subtract")
_KEEPS = (
    "Permute", "Reshape", "Cropping2D", "UpSampling2D", "Resizing", "MaxPooling2D", "AveragePooling2D", "Maximum",
    "Minimum", "Average", "Concatenate",
)  # fmt: skip
_KEEPING_FUNCTIONS = ("cut", "take", "pick", "resize", "rearrange", "tile")
_PROBABILITIES = ("sigmoid", "softmax", "hard_sigmoid")


def takes_bytes(image: Any, outputs: list[Any]) -> bool:
    """Whether the first steps of a network divide its image by so much that it must be one of raw bytes.

    Args:
        image: its input, `(None, H, W, C)`.
        outputs: its outputs.
    """
    import keras

    operations = keras.Model(image, outputs).operations
    here = image
    for _ in range(len(operations)):
        nodes = [
            node
            for operation in operations
            for node in operation._inbound_nodes  # noqa: SLF001
            if any(given is here for given in node.input_tensors)
        ]
        if len(nodes) != 1:
            return False
        factor = _factor(nodes[0])
        if factor is not None:
            return 0 < factor < RAW_BYTES
        if not (type(nodes[0].operation).__name__ in _LAID_OUT or _kind(nodes[0].operation) in _SHIFTS):
            return False
        here = nodes[0].outputs[0]
    return False


def gives_probabilities(tensor: Any) -> bool:
    """Whether values are between 0 and 1 by how they are made: a sigmoid that is resized, or a clipped value."""
    operation = tensor._keras_history.operation  # noqa: SLF001
    name = type(operation).__name__
    options = getattr(operation, "options", {})
    activation = getattr(getattr(operation, "activation", None), "__name__", "")
    if name in ("Sigmoid", "Softmax") or activation in _PROBABILITIES:
        return True
    if getattr(operation, "function", "") == "clip":
        low, high = options["low"], options["high"]
        return low is not None and high is not None and 0.0 <= low < high <= 1.0
    if name == "ReLU" and operation.max_value is not None:
        return bool(operation.max_value <= 1.0 and not operation.negative_slope)
    if name not in _KEEPS and getattr(operation, "function", "") not in _KEEPING_FUNCTIONS:
        return False
    node = operation._inbound_nodes[tensor._keras_history.node_index]  # noqa: SLF001
    return all(gives_probabilities(given) for given in node.input_tensors)


def _kind(operation: Any) -> str:
    """Return what an operation of two values does, by the name that `keras.ops` has for it."""
    if getattr(operation, "function", "") == "with constant":
        return str(operation.options["kind"])
    return {"TrueDivide": "divide"}.get(type(operation).__name__, type(operation).__name__.lower())


def _factor(node: Any) -> float | None:
    """Return the largest number that a step multiplies its image by, None where it does not."""
    operation = node.operation
    name = type(operation).__name__
    if name == "Rescaling":
        return float(np.max(operation.scale))
    if name == "Normalization":
        return float(1.0 / np.sqrt(np.min(np.asarray(operation.variance))))
    if getattr(operation, "function", "") == "scale":
        return float(operation.options["by"])
    kind = _kind(operation)
    if kind not in ("divide", "multiply"):
        return None
    if getattr(operation, "function", "") == "with constant":
        stored: Any = operation.weights[0]
    else:
        stored = next((one for one in node.arguments.args if isinstance(one, int | float)), None)
    if stored is None or (kind == "divide" and getattr(operation, "options", {}).get("first", False)):
        return None
    values = np.abs(np.asarray(stored, np.float64))
    if not values.all():
        return None
    return float(values.max() if kind == "multiply" else (1.0 / values).max())
