"""Operations of two values, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.foreign.onnx_keras.values import TO_LAST, Operation, Value, as_onnx, layer

_MERGES = {"add": "Add", "multiply": "Multiply", "subtract": "Subtract", "maximum": "Maximum", "minimum": "Minimum"}


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
        made = layer(operation.name, getattr(keras.ops, kind))
        return Value(x=made(a, b), shape=operation.shape, last=last)

    return apply


def several(kind: str) -> Callable[[Operation], Value]:
    """`Sum`, `Max`, `Min` of any number of values."""

    def apply(operation: Operation) -> Value:
        import keras

        values = [value for value in operation.inputs if value is not None]
        if len(values) == 1:
            return values[0]
        if any(value.constant for value in values):
            if len(values) == 2:
                return binary(kind)(operation)
            raise operation.refused("takes stored values beside others")
        last = any(value.last for value in values)
        xs = [value.x if value.last == last else as_onnx(value, operation.name) for value in values]
        if any(value.last != last for value in values):
            raise operation.refused("takes values of different layouts")
        return Value(x=getattr(keras.layers, _MERGES[kind])(name=operation.name)(xs), shape=operation.shape, last=last)

    return apply


def _with_stored(operation: Operation, kind: str, a: Any, b: Any) -> Any:
    import keras

    function = getattr(keras.ops, kind)
    if isinstance(a, np.ndarray):
        return layer(operation.name, lambda x: function(a, x))(b)
    return layer(operation.name, lambda x: function(x, b))(a)


def _aligned(operation: Operation, first: Value, second: Value) -> tuple[bool, tuple[Any, Any]]:
    """Bring both to one layout: channels last where one is held so and the other can be."""
    if not (first.last or second.last):
        return False, (_stored(first), _stored(second))
    held, other = (first, second) if first.last else (second, first)
    if other.last or other.constant or len(other.shape) == len(held.shape):
        return True, (_last(operation, first, "a"), _last(operation, second, "b"))
    return False, (as_onnx(first, f"{operation.name}.a"), as_onnx(second, f"{operation.name}.b"))


def _stored(value: Value) -> Any:
    """A stored value that broadcasts as NumPy's does; one with a batch of 1 loses nothing."""
    return value.x


def _last(operation: Operation, value: Value, end: str) -> Any:
    if value.last:
        return value.x
    if value.constant:
        full: NDArray[Any] = value.x.reshape((1,) * (4 - value.x.ndim) + value.x.shape)
        return full.transpose(TO_LAST)
    import keras

    return keras.layers.Permute((2, 3, 1), name=f"{operation.name}.{end}")(value.x)
