"""Arrays that are mapped from files: what was read of them need not stay in a process."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray


def let_go(*arrays: NDArray[np.generic] | None) -> None:
    """Take the pages of mapped arrays out of this process; what they hold stays the same, and is read again when used.

    Without it a process that reads all slices in turn holds all of them as long as nobody else needs the memory. Views,
    arrays in memory and None are passed over, and so are systems that cannot do it.
    """
    advice = getattr(mmap, "MADV_DONTNEED", None)
    for array in arrays:
        base: Any = None if array is None else array.base
        if isinstance(base, mmap.mmap) and advice is not None:
            base.madvise(advice)
