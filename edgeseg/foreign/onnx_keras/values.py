"""What the operations of an ONNX graph are turned into: Keras tensors whose channels come last, and constants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, OperationError

TO_LAST, TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
_UNFIT = re.compile(r"[^A-Za-z0-9_.\-]+")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Value:
    """A value of the graph.

    Attributes:
        x: a Keras tensor; or a NumPy array, which does not depend on the image.
        shape: as ONNX has it.
        last: whether `x` is held as `(N, H, W, C)` where ONNX has `(N, C, H, W)`.
    """

    x: Any
    shape: tuple[int, ...]
    last: bool = False

    @property
    def constant(self) -> bool:
        """Whether it is stored in the file."""
        return isinstance(self.x, np.ndarray)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One node: its attributes as Python values, its inputs (None where one is left out), and the layer's name."""

    kind: str
    name: str
    given: Mapping[str, Any]
    inputs: tuple[Value | None, ...]
    shape: tuple[int, ...]
    version: int

    @property
    def data(self) -> Value:
        """The first input."""
        return self.value(0)

    def value(self, place: int) -> Value:
        """Return an input that has to be there.

        Raises:
            ArtifactError: when it is left out.
        """
        found = self.inputs[place] if place < len(self.inputs) else None
        if found is None:
            raise self.refused(f"has no input {place}")
        return found

    def stored(self, place: int, attribute: str | None = None) -> NDArray[Any] | None:
        """Return what an input holds that must be stored in the file, or an attribute that older versions have."""
        if place < len(self.inputs) and (found := self.inputs[place]) is not None:
            if not found.constant:
                raise self.refused(f"takes input {place} from the image, where only a stored value can be converted")
            return np.asarray(found.x)
        if attribute is not None and attribute in self.given:
            return np.asarray(self.given[attribute])
        return None

    def refused(self, why: str) -> OperationError:
        """Say that this operation cannot be converted, and why."""
        return OperationError(f"edgeseg has no Keras layer for {self.kind} '{self.name}', which {why}")


def fitting_name(name: str, kind: str, taken: set[str]) -> str:
    """Return a layer's name from that of a node: `/encoder/conv1/Conv` becomes `encoder.conv1.Conv`."""
    plain = _UNFIT.sub(".", name).strip(".") or kind
    number, found = 1, plain
    while found in taken:
        number += 1
        found = f"{plain}_{number}"
    taken.add(found)
    return found


def transposed(name: str, x: Any, order: tuple[int, ...]) -> Any:
    """Transpose a Keras tensor; the batch stays first."""
    import keras

    return keras.layers.Permute(order[1:], name=name)(x)


def channels_last(value: Value, name: str) -> Any:
    """Return a value of four axes held as `(N, H, W, C)`: a Keras tensor, or an array."""
    if value.constant:
        full = value.x.reshape((1,) * (4 - value.x.ndim) + value.x.shape)
        return full.transpose(TO_LAST)
    if value.last:
        return value.x
    if len(value.shape) != 4:
        raise ArtifactError(f"'{name}' takes a value of {len(value.shape)} axes, where an image of four was expected")
    return transposed(f"{name}.to_last", value.x, TO_LAST)


def as_onnx(value: Value, name: str) -> Any:
    """Return a value with its axes in the order that ONNX has."""
    return transposed(f"{name}.to_first", value.x, TO_FIRST) if value.last else value.x


def axis_of(operation: Operation, value: Value, axis: int) -> int:
    """Translate an axis of ONNX into that of the held tensor.

    Raises:
        ArtifactError: for the batch.
    """
    axis = axis + len(value.shape) if axis < 0 else axis
    if axis == 0:
        raise operation.refused("works along the batch")
    return TO_LAST.index(axis) if value.last else axis
