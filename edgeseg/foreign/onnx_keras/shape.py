"""Operations that move values and leave them as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.foreign.onnx_keras.values import (
    TO_FIRST,
    TO_LAST,
    Operation,
    Value,
    as_onnx,
    axis_of,
    channels_last,
)
from edgeseg.foreign.onnx_keras.windows import Pads, repeat_edges
from edgeseg.targets.plain import plain_layer


def identity(operation: Operation) -> Value:
    """`Identity`, `Dropout` and `Cast` between kinds of float."""
    return operation.data


def concat(operation: Operation) -> Value:
    """`Concat` along any axis but the batch; stored values may stand among the others."""
    import keras

    values = [value for value in operation.inputs if value is not None]
    whole = [value for value in values if not value.constant]
    last = all(value.last for value in whole)
    xs = [value.x if last else as_onnx(value, f"{operation.name}.{i}") for i, value in enumerate(whole)]
    place = axis_of(operation, Value(x=None, shape=operation.shape, last=last), int(operation.given["axis"]))
    if len(values) == 1:
        return values[0]
    if len(whole) == len(values):
        return Value(x=keras.layers.Concatenate(axis=place, name=operation.name)(xs), shape=operation.shape, last=last)
    stored = [(channels_last(v, operation.name) if last else v.x) if v.constant else None for v in values]
    arrays = [array for array in stored if array is not None]
    told = [array is not None for array in stored]
    made = plain_layer(operation.name, "join", *arrays, axis=place, stored=told)
    return Value(x=made(*xs), shape=operation.shape, last=last)


def transpose(operation: Operation) -> Value:
    """`Transpose`; between the two layouts of images it moves nothing."""
    import keras

    data = operation.data
    order = tuple(operation.given.get("perm", tuple(range(len(data.shape)))[::-1]))
    if data.last and order == TO_LAST:
        return Value(x=data.x, shape=operation.shape)
    if not data.last and order == TO_FIRST and len(data.shape) == 4:
        return Value(x=data.x, shape=operation.shape, last=True)
    if order[0] != 0:
        raise operation.refused("moves the batch")
    x = keras.layers.Permute(order[1:], name=operation.name)(as_onnx(data, operation.name))
    return Value(x=x, shape=operation.shape)


def reshape(operation: Operation) -> Value:
    """`Reshape`, `Flatten`, `Squeeze`, `Unsqueeze`: the values in ONNX's order, in another shape."""
    import keras

    data, shape = operation.data, operation.shape
    if shape == data.shape:
        return data
    if not shape or shape[0] != 1:
        raise operation.refused(f"takes {data.shape} apart along the batch, to {shape}")
    if data.last and data.shape[2:] == (1, 1) and shape in ((1, data.shape[1]), (1, data.shape[1], 1, 1)):
        return Value(x=keras.layers.Reshape(shape[1:], name=operation.name)(data.x), shape=shape)
    if len(shape) == 4 and not data.last and len(data.shape) == 2 and shape[2:] == (1, 1):
        held = (1, 1, shape[1])
        return Value(x=keras.layers.Reshape(held, name=operation.name)(data.x), shape=shape, last=True)
    x = keras.layers.Reshape(shape[1:], name=operation.name)(as_onnx(data, operation.name))
    return Value(x=x, shape=shape)


def slices(operation: Operation) -> Value:
    """`Slice` with stored ends."""
    data = operation.data
    starts, ends = operation.stored(1, "starts"), operation.stored(2, "ends")
    assert starts is not None
    assert ends is not None
    axes = operation.stored(3, "axes")
    steps = operation.stored(4)
    places = range(len(starts)) if axes is None else [int(axis) % len(data.shape) for axis in axes]
    cuts: list[list[int | None] | None] = [None] * len(data.shape)
    for index, axis in enumerate(places):
        step = 1 if steps is None else int(steps[index])
        if axis == 0:
            continue
        cuts[axis_of(operation, data, axis)] = _slice(int(starts[index]), int(ends[index]), step, data.shape[axis])
    x = plain_layer(operation.name, "cut", cuts=cuts)(data.x)
    return Value(x=x, shape=operation.shape, last=data.last)


def _slice(start: int, end: int, step: int, side: int) -> list[int | None]:
    if step > 0:
        return [max(min(start + side * (start < 0), side), 0), max(min(end + side * (end < 0), side), 0), step]
    first = max(min(start + side * (start < 0), side - 1), 0)
    final = end + side if end < 0 else end
    return [first, None if final < 0 else final, step]


def split(operation: Operation, shapes: tuple[tuple[int, ...], ...]) -> tuple[Value, ...]:
    """`Split`, into parts whose sizes follow from the shapes of the results."""
    data = operation.data
    axis = int(operation.given.get("axis", 0)) % len(data.shape)
    place = axis_of(operation, data, axis)
    found, start = [], 0
    for index, shape in enumerate(shapes):
        cuts: list[list[int] | None] = [None] * len(shape)
        cuts[place] = [start, start + shape[axis]]
        start += shape[axis]
        x = plain_layer(f"{operation.name}.{index}", "cut", cuts=cuts)(data.x)
        found.append(Value(x=x, shape=shape, last=data.last))
    return tuple(found)


def gather(operation: Operation) -> Value:
    """`Gather` with stored indices."""
    data = operation.data
    indices = operation.stored(1)
    assert indices is not None
    axis = int(operation.given.get("axis", 0)) % len(data.shape)
    held = data if indices.ndim == 1 else Value(x=as_onnx(data, operation.name), shape=data.shape)
    place = axis_of(operation, held, axis)
    picked = np.where(indices < 0, indices + data.shape[axis], indices).astype(np.int32)
    if picked.ndim != 1:
        raise operation.refused(f"takes indices of {picked.ndim} axes")
    made = plain_layer(operation.name, "take", indices=picked.tolist(), axis=place)
    return Value(x=made(held.x), shape=operation.shape, last=held.last)


def pad(operation: Operation) -> Value:
    """`Pad` of height and width: zeros or another value, mirrored, or repeated edges; below 0 it crops."""
    import keras

    data = operation.data
    given = operation.stored(1, "pads")
    assert given is not None
    axes = operation.stored(3)
    count = len(data.shape) if axes is None else len(axes)
    full = [(0, 0)] * len(data.shape)
    for index in range(count):
        axis = index if axes is None else int(axes[index]) % len(data.shape)
        full[axis] = (int(given[index]), int(given[index + count]))
    if len(full) != 4 or any(map(any, full[:2])):
        return _padded_channels(operation, full)
    x = channels_last(data, operation.name)
    crop = tuple((max(-b, 0), max(-a, 0)) for b, a in full[2:])
    if any(map(any, crop)):
        x = keras.layers.Cropping2D(crop, name=f"{operation.name}.crop")(x)
    (top, bottom), (left, right) = ((max(b, 0), max(a, 0)) for b, a in full[2:])
    more = ((top, bottom), (left, right))
    if any(map(any, more)):
        edge = operation.given.get("mode", "constant") == "edge"
        x = repeat_edges(x, more, operation.name) if edge else _more(operation, more)(x)
    return Value(x=x, shape=operation.shape, last=True)


def _more(operation: Operation, more: Pads) -> Any:
    import keras

    mode = operation.given.get("mode", "constant")
    value = operation.stored(2, "value")
    fill = 0.0 if value is None or value.size == 0 else float(value.reshape(-1)[0])
    if mode == "constant" and fill == 0.0:
        return keras.layers.ZeroPadding2D(more, name=operation.name)
    around = [[0, 0], *map(list, more), [0, 0]]
    if mode == "constant":
        return plain_layer(operation.name, "pad", around=around, value=fill)
    if mode == "reflect":
        return plain_layer(operation.name, "pad", around=around, mode="REFLECT")
    raise operation.refused(f"pads by the mode {mode}")


def _padded_channels(operation: Operation, full: list[tuple[int, int]]) -> Value:
    """Pad channels with zeros, as some residual networks do; other axes are refused."""
    data = operation.data
    if any(full[0]) or operation.given.get("mode", "constant") != "constant" or min(map(min, full)) < 0:
        raise operation.refused(f"pads {full}")
    places = [full[0]] * len(full)
    for axis, pads in enumerate(full):
        if axis:
            places[axis_of(operation, data, axis)] = pads
    return Value(x=plain_layer(operation.name, "pad", around=places)(data.x), shape=operation.shape, last=data.last)


def expand(operation: Operation) -> Value:
    """`Expand` of a value, by repeating what has size 1."""
    data = operation.data
    if operation.shape == data.shape:
        return data
    if len(operation.shape) != len(data.shape) or operation.shape[0] != 1:
        raise operation.refused(f"expands {data.shape} to {operation.shape}")
    order = TO_LAST if data.last else tuple(range(len(data.shape)))
    times = [operation.shape[axis] // data.shape[axis] for axis in order]

    return Value(x=plain_layer(operation.name, "tile", times=times)(data.x), shape=operation.shape, last=data.last)


def tile(operation: Operation) -> Value:
    """`Tile`: repeat a value along its axes as often as is stored."""
    data, repeats = operation.data, operation.stored(1)
    assert repeats is not None
    if int(repeats[0]) != 1:
        raise operation.refused("repeats the batch")
    order = TO_LAST if data.last else tuple(range(len(data.shape)))
    made = plain_layer(operation.name, "tile", times=[int(repeats[axis]) for axis in order])
    return Value(x=made(data.x), shape=operation.shape, last=data.last)
