"""Resizing, and rearrangements between channels and pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgeseg.foreign.onnx_keras.values import Operation, Value, channels_last
from edgeseg.targets.plain import plain_layer

_HALF = ("half_pixel", "pytorch_half_pixel")


def resize(operation: Operation) -> Value:
    """`Resize` and `Upsample` of an image, nearest neighbour or bilinear."""
    data = operation.data
    given = operation.given
    mode = given.get("mode", "nearest")
    where = given.get("coordinate_transformation_mode", "half_pixel" if operation.kind == "Resize" else "asymmetric")
    if operation.kind == "Resize" and operation.version < 11:
        where = "asymmetric"
    if len(data.shape) != 4 or operation.shape[:2] != data.shape[:2]:
        raise operation.refused("resizes other axes than height and width")
    if given.get("antialias", 0):
        raise operation.refused("filters before it shrinks (antialias)")
    x = channels_last(data, operation.name)
    before, after = data.shape[2:], operation.shape[2:]
    if before == after:
        return Value(x=x, shape=operation.shape, last=True)
    if mode == "nearest":
        made = _nearest(operation, before, after, where)
    elif mode == "linear":
        made = _linear(operation, before, after, where)
    else:
        raise operation.refused(f"resizes by {mode} interpolation")
    return Value(x=made(x), shape=operation.shape, last=True)


def _factors(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[int, int] | None:
    """By what an image grows where that is a whole number both ways."""
    if any(large % small for small, large in zip(before, after, strict=True)):
        return None
    rows, columns = (large // small for small, large in zip(before, after, strict=True))
    return rows, columns


def _nearest(operation: Operation, before: tuple[int, ...], after: tuple[int, ...], where: str) -> Any:
    import keras

    rounding = operation.given.get("nearest_mode", "round_prefer_floor")
    rounding = "floor" if operation.version < 11 else rounding
    picked = [_picked(operation, b, a, where, rounding) for b, a in zip(before, after, strict=True)]
    grown = _factors(before, after)
    if grown and all(
        np.array_equal(picks, np.repeat(np.arange(side), factor))
        for picks, side, factor in zip(picked, before, grown, strict=True)
    ):
        return keras.layers.UpSampling2D(grown, interpolation="nearest", name=operation.name)
    rows, columns = picked
    return plain_layer(operation.name, "pick", rows=rows.tolist(), columns=columns.tolist())


def _picked(operation: Operation, before: int, after: int, where: str, rounding: str) -> Any:
    """Which pixel each pixel of the result is, along one axis, as the standard says."""
    place = np.arange(after, dtype=np.float64)
    scale = after / before
    if where == "align_corners":
        place = place * (before - 1) / max(after - 1, 1)
    elif where == "asymmetric":
        place = place / scale
    elif where in _HALF:
        place = (place + 0.5) / scale - 0.5 if after > 1 or where == "half_pixel" else place * 0
    else:
        raise operation.refused(f"resizes by the rule {where}")
    rules: dict[str, Callable[[Any], Any]] = {
        "floor": np.floor,
        "ceil": np.ceil,
        "round_prefer_floor": lambda p: np.ceil(p - 0.5),
        "round_prefer_ceil": lambda p: np.floor(p + 0.5),
    }
    return np.clip(rules[rounding](place), 0, before - 1).astype(np.int32)


def _linear(operation: Operation, before: tuple[int, ...], after: tuple[int, ...], where: str) -> Any:
    import keras

    grown = _factors(before, after)
    if where in _HALF and not (where == "pytorch_half_pixel" and 1 in after and after != before):
        if grown:
            return keras.layers.UpSampling2D(grown, interpolation="bilinear", name=operation.name)
        return keras.layers.Resizing(*after, interpolation="bilinear", name=operation.name)
    if where not in ("align_corners", "asymmetric"):
        raise operation.refused(f"resizes by the rule {where}")
    return plain_layer(operation.name, "resize", size=list(after), aligned=where == "align_corners")


def depth_to_space(operation: Operation) -> Value:
    """`DepthToSpace`, in both orders of channels."""
    side = int(operation.given["blocksize"])
    x = channels_last(operation.data, operation.name)
    if operation.given.get("mode", "DCR") == "CRD":
        order = np.arange(x.shape[-1]).reshape(-1, side, side).transpose(1, 2, 0).reshape(-1)
        x = plain_layer(f"{operation.name}.order", "take", indices=order.tolist(), axis=-1)(x)
    made = plain_layer(operation.name, "rearrange", kind="depth_to_space", side=side)
    return Value(x=made(x), shape=operation.shape, last=True)


def space_to_depth(operation: Operation) -> Value:
    """`SpaceToDepth`."""
    side = int(operation.given["blocksize"])
    made = plain_layer(operation.name, "rearrange", kind="space_to_depth", side=side)
    return Value(x=made(channels_last(operation.data, operation.name)), shape=operation.shape, last=True)
