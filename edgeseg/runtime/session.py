"""What the segmenter asks of a runtime: one input tensor in, one output tensor out, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInfo:
    """One end of a model.

    Attributes:
        name: as the file has it.
        shape: with None where the file leaves a dimension open.
        dtype: `float32`, `int8`, `uint8` or `int16`, as NumPy names it; another name is what the file said.
        scale: of an integer tensor; None for float32, or where the file does not say.
        zero_point: of an integer tensor, likewise.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


class Session(Protocol):
    """A loaded model; `infer` may be called from several threads at once."""

    @property
    def input(self) -> TensorInfo:
        """The one input."""

    @property
    def output(self) -> TensorInfo:
        """The one output."""

    @property
    def runtime(self) -> str:
        """Name and version of the runtime."""

    @property
    def numerics(self) -> str:
        """How the arithmetic is done on this host."""

    def infer(self, tensor: NDArray[np.generic]) -> NDArray[np.generic]:
        """Run one tensor of the input's shape and dtype; gives the output's."""


_MEMORY_BYTES, _TIMES_ITS_FILE, _PER_THREAD_BYTES, _PER_VALUE_BYTES = 512 << 20, 8, 80 << 20, 1536


def memory_for(size_bytes: int, threads: int, values: int = 0) -> int:
    """Return how many bytes of address space a runtime may take to open a model, or to run it.

    Args:
        size_bytes: of its files; weights are unpacked and rearranged.
        threads: each sets some aside.
        values: of its input; each becomes some hundreds on the way, in the widest layers.
    """
    return _MEMORY_BYTES + _TIMES_ITS_FILE * size_bytes + _PER_THREAD_BYTES * threads + _PER_VALUE_BYTES * values
