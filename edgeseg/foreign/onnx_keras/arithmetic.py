"""Operations of two values, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgeseg.foreign.onnx_keras.values import Operation, Value, as_onnx, channels_last
from edgeseg.targets.plain import plain_layer

_MERGES = {
    "add": "Add", "average": "Average", "maximum": "Maximum", "minimum": "Minimum", "multiply": "Multiply",
    "subtract": "Subtract",
}  # fmt: skip


def binary(kind: str) -> Callable[[Operation], Value]:
    """`Add`, `Mul` and so on: two values that broadcast, one of them perhaps stored."""

    def apply(operation: Operation) -> Value:
        import keras

        first, second = operation.value(0), operation.value(1)
        last, (a, b) = _aligned(operation, first, second)
        if first.constant or second.constant:
            return Value(x=_with_stored(operation, kind, a, b), shape=operation.shape, last=last)
        if kind in _MERGES:
            made = getattr(keras.layers, _MERGES[kind])(name=operation.name)
            return Value(x=made([a, b]), shape=operation.shape, last=last)
        made = plain_layer(operation.name, "of two", kind=kind)
        return Value(x=made(a, b), shape=operation.shape, last=last)

    return apply


def several(kind: str) -> Callable[[Operation], Value]:
    """`Sum`, `Mean`, `Max`, `Min` of any number of values."""

    def apply(operation: Operation) -> Value:
        import keras

        values = [value for value in operation.inputs if value is not None]
        if len(values) == 1:
            return values[0]
        if any(value.constant for value in values):
            if len(values) == 2 and kind != "average":
                return binary(kind)(operation)
            raise operation.refused("takes stored values beside others")
        last = all(value.last for value in values)
        xs = [value.x if last else as_onnx(value, f"{operation.name}.{i}") for i, value in enumerate(values)]
        return Value(x=getattr(keras.layers, _MERGES[kind])(name=operation.name)(xs), shape=operation.shape, last=last)

    return apply


def _with_stored(operation: Operation, kind: str, a: Any, b: Any) -> Any:
    if isinstance(a, np.ndarray):
        return plain_layer(operation.name, "with constant", a, kind=kind, first=True)(b)
    return plain_layer(operation.name, "with constant", b, kind=kind)(a)


def _aligned(operation: Operation, first: Value, second: Value) -> tuple[bool, tuple[Any, Any]]:
    """Bring both to one layout: channels last where one is held so and the other has as many axes or is stored."""
    names = (f"{operation.name}.a", f"{operation.name}.b")
    pair = (first, second)
    last = any(value.last for value in pair) and all(value.constant or len(value.shape) == 4 for value in pair)
    bring = channels_last if last else as_onnx
    a, b = (bring(value, name) for value, name in zip(pair, names, strict=True))
    return last, (a, b)
