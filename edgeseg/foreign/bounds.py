"""What the first and the last steps of a flat network tell of the numbers that go in and come out."""

from __future__ import annotations

from functools import partial, reduce
from typing import Any

import numpy as np

from edgeseg.foreign.intervals import ANY, UNIT, Interval, clipped, of_probabilities, of_stored, of_two, union

RAW_BYTES = 0.05
"""A first step that multiplies by less is meant for bytes, one that multiplies by more for values up to 1."""
_LAID_OUT = ("Permute", "Cast", "Reshape", "ZeroPadding2D")
_SHIFTS = ("add", "subtract")
_KEEPS = (
    "Permute", "Reshape", "Cropping2D", "UpSampling2D", "Resizing", "MaxPooling2D", "AveragePooling2D",
    "GlobalAveragePooling2D", "GlobalMaxPooling2D", "Average", "Concatenate",
)  # fmt: skip
_KEEPING_FUNCTIONS = ("cut", "take", "pick", "resize", "rearrange", "tile")
_KEEPING_REDUCTIONS = ("mean", "max", "min")
_BETWEEN = {"sigmoid": UNIT, "softmax": UNIT, "hard_sigmoid": UNIT, "tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0)}
_TWO = ("add", "subtract", "multiply", "divide", "maximum", "minimum")


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
    """Whether values are between 0 and 1 by how they are made: a sigmoid that is resized, a mean of several, a clip."""
    return of_probabilities(_bounds(tensor, {}))


def _bounds(value: Any, known: dict[int, Interval]) -> Interval:
    """Between which numbers a value lies by how it is made; a plain number or a stored array is one, too."""
    if isinstance(value, int | float | np.ndarray):
        return of_stored(value)
    if not hasattr(value, "_keras_history"):
        return ANY
    if id(value) not in known:
        known[id(value)] = _made_between(value, known)
    return known[id(value)]


def _made_between(value: Any, known: dict[int, Interval]) -> Interval:
    history = value._keras_history  # noqa: SLF001
    operation, node = history.operation, history.operation._inbound_nodes[history.node_index]  # noqa: SLF001
    name, function = type(operation).__name__, getattr(operation, "function", "")
    options = getattr(operation, "options", {})
    activation = getattr(getattr(operation, "activation", None), "__name__", name.lower())
    if activation in _BETWEEN:
        return _BETWEEN[activation]
    if name in _KEEPS or function in _KEEPING_FUNCTIONS or options.get("kind") in _KEEPING_REDUCTIONS:
        return union([_bounds(given, known) for given in node.input_tensors])
    if function == "clip":
        return clipped(_bounds(node.input_tensors[0], known), options["low"], options["high"])
    if name == "ReLU" and not operation.negative_slope:
        return clipped(_bounds(node.input_tensors[0], known), 0.0, operation.max_value)
    if (line := _line(operation)) is not None:
        factor, offset = line
        product = of_two("multiply", _bounds(node.input_tensors[0], known), of_stored(factor))
        return of_two("add", product, of_stored(offset))
    kind = _kind(operation)
    return reduce(partial(of_two, kind), _terms(operation, node, known)) if kind in _TWO else ANY


def _line(operation: Any) -> tuple[Any, Any] | None:
    """Return what an operation multiplies by and adds, where that is what it does."""
    if getattr(operation, "function", "") == "scale":
        return operation.options["by"], operation.options["plus"]
    return (operation.scale, operation.offset) if type(operation).__name__ == "Rescaling" else None


def _terms(operation: Any, node: Any, known: dict[int, Interval]) -> list[Interval]:
    """Bound the values that an operation of two or more takes, those that are stored among them, in their order."""
    if getattr(operation, "function", "") == "with constant":
        pair = [_bounds(node.input_tensors[0], known), of_stored(np.asarray(operation.weights[0]))]
        return pair[::-1] if operation.options.get("first", False) else pair
    if len(node.input_tensors) > 1:
        return [_bounds(given, known) for given in node.input_tensors]
    return [_bounds(given, known) for given in node.arguments.args]


def _kind(operation: Any) -> str:
    """Return what an operation of two values does, by the name that `keras.ops` has for it."""
    if getattr(operation, "function", "") in ("with constant", "of two"):
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
