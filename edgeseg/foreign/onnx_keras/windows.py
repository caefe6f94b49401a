"""How a window slides over an image: what ONNX pads, and the Keras form of the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgeseg.foreign.onnx_keras.values import Operation
from edgeseg.targets.plain import plain_layer

Pads = tuple[tuple[int, int], tuple[int, int]]
NO_PADS: Pads = ((0, 0), (0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Sizes along height and width; `pads` are (before, after) of each."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: Pads

    @property
    def reach(self) -> tuple[int, int]:
        """What the kernel spans with its dilation."""
        rows, columns = ((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True))
        return rows, columns


def window_of(operation: Operation, kernel: tuple[int, ...], image: tuple[int, int]) -> Window:
    """Read a window from the attributes of an operation on an image of (height, width).

    Raises:
        ArtifactError: when it slides along other than two axes.
    """
    if len(kernel) != 2:
        raise operation.refused(f"slides along {len(kernel)} axes")
    rows, columns = kernel
    strides = _pair(operation.given.get("strides", (1, 1)))
    dilations = _pair(operation.given.get("dilations", (1, 1)))
    window = Window(kernel=(rows, columns), strides=strides, dilations=dilations, pads=NO_PADS)
    return Window(kernel=window.kernel, strides=strides, dilations=dilations, pads=_pads(operation, window, image))


def _pads(operation: Operation, window: Window, image: tuple[int, int]) -> Pads:
    auto = operation.given.get("auto_pad", "NOTSET")
    if auto == "NOTSET":
        top, left, bottom, right = operation.given.get("pads", (0, 0, 0, 0))
        return _with_ceil(operation, window, image, ((top, bottom), (left, right)))
    if auto == "VALID":
        return NO_PADS
    first, second = ((b, a) if auto == "SAME_LOWER" else (a, b) for a, b in same_pads(window, image))
    return first, second


def _with_ceil(operation: Operation, window: Window, image: tuple[int, int], pads: Pads) -> Pads:
    """Pad more at the end where a last window that is not full shall count (`ceil_mode`)."""
    if not operation.given.get("ceil_mode", 0):
        return pads
    wanted = operation.shape[2:]
    found = []
    for side, (before, after), reach, stride, count in zip(
        image, pads, window.reach, window.strides, wanted, strict=True
    ):
        found.append((before, max(after, (count - 1) * stride + reach - side - before)))
    return found[0], found[1]


def same_pads(window: Window, image: tuple[int, int]) -> Pads:
    """Return what `padding="same"` pads on an image of (height, width)."""
    found = []
    for side, reach, stride in zip(image, window.reach, window.strides, strict=True):
        total = max((-(-side // stride) - 1) * stride + reach - side, 0)
        found.append((total // 2, total - total // 2))
    return found[0], found[1]


def padded(window: Window, image: tuple[int, int], x: Any, name: str) -> tuple[Any, str]:
    """Return the image padded with zeros where it must be, and the word for what is left to the layer."""
    import keras

    if window.pads == same_pads(window, image):
        return x, "same"
    if window.pads == NO_PADS:
        return x, "valid"
    return keras.layers.ZeroPadding2D(window.pads, name=f"{name}.pad")(x), "valid"


def repeat_edges(x: Any, pads: Pads, name: str) -> Any:
    """Repeat the first and last rows and columns of an image as often as `pads` says."""
    import keras

    for axis, (before, after) in zip((1, 2), pads, strict=True):
        if not before and not after:
            continue
        side = x.shape[axis]

        def cuts(start: int, stop: int, axis: int = axis) -> list[list[int] | None]:
            return [None, *([start, stop] if one == axis else None for one in (1, 2)), None]

        first = plain_layer(f"{name}.first{axis}", "cut", cuts=cuts(0, 1))(x)
        last = plain_layer(f"{name}.last{axis}", "cut", cuts=cuts(side - 1, side))(x)
        parts = [*[first] * before, x, *[last] * after]
        x = keras.layers.Concatenate(axis=axis, name=f"{name}.edge{axis}")(parts)
    return x


def _pair(values: Any) -> tuple[int, int]:
    first, second = (int(value) for value in values)
    return first, second
