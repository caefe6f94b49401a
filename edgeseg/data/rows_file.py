"""A `.npy` file that grows row by row, so that memory does not."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray


class RowsFile:
    """The file, open for writing in a `with` block; its header is written again at the end."""

    def __init__(self, path: Path) -> None:
        """Begin an empty file."""
        self._stream = path.open("wb")
        self._count = 0
        self._like: NDArray[np.generic] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with self._stream:
            if kind is None:
                self._stream.seek(0)
                self._head()

    def add(self, array: NDArray[np.generic]) -> None:
        """Append rows, `(n, ...)`; all of one shape and type."""
        if self._like is None:
            self._like = array[:0]
            self._head()
        self._stream.write(np.ascontiguousarray(array).data)
        self._count += len(array)

    def _head(self) -> None:
        """Write the header: NumPy leaves room in it for a larger number of rows."""
        assert self._like is not None
        told = np.lib.format.header_data_from_array_1_0(self._like)
        np.lib.format.write_array_header_1_0(self._stream, {**told, "shape": (self._count, *self._like.shape[1:])})
