"""A scan whose files are read in a process that is set apart; to the runner it is like any other."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import errors
from edgeseg.data.pseudonym import Pseudonyms
from edgeseg.errors import DatasetError, EdgeSegError, LimitError
from edgeseg.jsonio import JsonFormatError, from_plain, to_plain
from edgeseg.results import UnusedFiles, UsedSequence
from edgeseg.specs import MaskRegion
from edgeseg.stages.segment.apart.facts import NiftiFacts, ScanFacts
from edgeseg.stages.segment.apart.inside import SLICE_S
from edgeseg.workers.apart import Limits, Pool, Process
from edgeseg.workers.apart.memory import put, put_array, take_array

_SEG_S, _SEG_S_PER_SLICE = 10.0, 0.1
_MOST_PIXELS = 1 << 27
_KINDS = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, EdgeSegError)
}


Read = tuple[NDArray[np.uint8], tuple[str, ...] | None]
"""A slice, and where it is the last one what there is to warn of."""


def _forever() -> float:
    return float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Where scans are read, and on which terms.

    Attributes:
        pool: the processes.
        limits: what reading one scan may take.
        left: how many seconds there are altogether; asked again and again.
        refused: makes the error of an answer that has a status.
    """

    pool: Pool
    limits: Limits
    left: Callable[[], float] = field(default=_forever)
    refused: Callable[[int, str], Exception] | None = None

    def open(self, what: Any, contents: tuple[bytes, ...] = ()) -> ApartScan:
        """Open a scan.

        Args:
            what: says what to open, in plain values; what it means is between the caller and the module of the pool.
            contents: go into the shared memory, one after another.

        Raises:
            DataError: as opening it here would; LimitError when it takes too much.
            OutputError: when no process can be started.
        """
        with contextlib.ExitStack() as stack:
            process = stack.enter_context(self.pool.lend())
            talk = _Talk(process, self)
            place = 0
            for content in contents:
                place = put(process.memory, content, place)
            try:
                facts, first = talk.open(what)
            except BaseException:
                talk.end()
                raise
            return ApartScan(talk, facts, first, stack.pop_all())


class _Talk:
    """Messages to one process, one at a time."""

    def __init__(self, process: Process, reader: Reader) -> None:
        self._process, self._reader, self._lock = process, reader, threading.Lock()
        self._more_s, self._slices, self._channels = reader.limits.cpu_s, 0, 0

    @property
    def memory(self) -> int:
        return self._process.memory

    def open(self, what: Any) -> tuple[ScanFacts, Read]:
        reader = self._reader
        told = {"op": "open", "what": what, "limits": to_plain(reader.limits)}
        answer = self._send(told, reader.limits.wait_s)
        try:
            facts = from_plain(ScanFacts, answer["facts"])
        except (KeyError, JsonFormatError) as error:
            raise _strange() from error
        if not all(map(_plain, (facts.name, *facts.slice_names, *facts.channels))) or not facts.slice_names:
            raise _strange()
        self._slices, self._channels = len(facts.slice_names), len(facts.channels)
        self._more_s = reader.limits.cpu_s + SLICE_S * self._slices
        return facts, self._read(answer)

    def seg(self, path: Path, model_sha256: str, regions: tuple[MaskRegion, ...], salt: str | None) -> None:
        self._more_s += _SEG_S + _SEG_S_PER_SLICE * self._slices * max(1, len(regions))
        told = [to_plain(region) for region in regions]
        self.ask("seg", path=str(path), model_sha256=model_sha256, regions=told, salt=salt, more_s=self._more_s)

    def ask(self, op: str, **more: Any) -> dict[str, Any]:
        return self._send({"op": op, **more}, 2 * self._more_s)

    def image(self, index: int) -> Read:
        with self._lock:
            return self._read(self._sent({"op": "image", "index": index}, 2 * self._more_s))

    def mask(self, index: int, name: str, mask: NDArray[np.uint8]) -> None:
        self.tell("mask", mask, index=index, name=name)

    def tell(self, op: str, array: NDArray[np.uint8], **more: Any) -> None:
        with self._lock:
            put_array(self.memory, array)
            self._sent({"op": op, "shape": list(array.shape), **more}, 2 * self._more_s)

    def _read(self, answer: Mapping[str, Any]) -> Read:
        shape, warnings = answer.get("shape"), answer.get("warnings")
        if not isinstance(shape, list) or len(shape) != 3 or not all(type(one) is int and one > 0 for one in shape):
            raise _strange()
        if shape[2] != self._channels or shape[0] * shape[1] > _MOST_PIXELS:
            raise _strange()
        try:
            image = take_array(self.memory, tuple(shape))
        except EOFError as error:
            raise _strange() from error
        return image, tuple(map(str, warnings)) if isinstance(warnings, list) else None

    def end(self) -> None:
        """Let the process put things away and go back to the pool, without waiting for it."""
        self._process.settle({"op": "end"})

    def _send(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        with self._lock:
            return self._sent(message, seconds)

    def _sent(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        answer = self._process.ask(message, seconds=seconds, left=self._reader.left)
        if "error" in answer:
            raise _error(answer, self._reader.refused)
        return answer


class ApartScan:
    """One scan in another process."""

    reference = None

    def __init__(self, talk: _Talk, facts: ScanFacts, first: Read, stack: contextlib.ExitStack) -> None:
        """Keep the process until `close`; `first` is the first slice, which is read as the scan is opened."""
        self._first: NDArray[np.uint8] | None
        self._first, self._warnings = first
        self._talk, self._facts, self._stack = talk, facts, stack
        self.name, self.kind, self.volume = facts.name, facts.kind, facts.volume
        self.slice_names, self.mask_formats = facts.slice_names, facts.mask_formats
        self.channels = facts.channels
        self.pixel_mm, self.slice_mm = facts.pixel_mm, facts.slice_mm
        self.used: tuple[UsedSequence, ...] = facts.used
        self.unused: tuple[UnusedFiles, ...] = facts.unused
        self.nifti: NiftiFacts | None = facts.nifti

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd so far."""
        if self._warnings is None:
            return tuple(str(one) for one in self._talk.ask("warnings").get("warnings", ()))
        return self._warnings

    def image(self, index: int) -> NDArray[np.uint8]:
        """Read one slice: `(h, w, C) uint8`, channels as `channels` names them.

        Raises:
            DataError: when it cannot be read; LimitError when that takes too much.
        """
        first = self._first
        if index == 0 and first is not None:
            self._first = None
            return first
        found, told = self._talk.image(index)
        self._warnings = told if told is not None else self._warnings
        return found

    def seg_writer(
        self,
        path: Path,
        model_sha256: str,
        regions: tuple[MaskRegion, ...] = (),
        pseudonyms: Pseudonyms | None = None,
    ) -> ApartSeg:
        """Have a DICOM SEG made there, which refers to headers that are read there; without regions of one mask.

        With `pseudonyms` it is de-identified.

        Raises:
            DatasetError: when the headers lack what it needs.
        """
        return ApartSeg(self._talk, path, model_sha256, regions, pseudonyms)

    def tell(self, op: str, array: NDArray[np.uint8], **more: Any) -> None:
        """Have the process do something else with an array, which the module of the pool knows by this name.

        Raises:
            EdgeSegError: what it raises there.
        """
        self._talk.tell(op, array, **more)

    def close(self) -> None:
        """Let go of the process."""
        try:
            self._talk.end()
        finally:
            self._stack.close()


class ApartSeg:
    """One `.dcm` with the masks of the whole volume."""

    def __init__(
        self,
        talk: _Talk,
        path: Path,
        model_sha256: str,
        regions: tuple[MaskRegion, ...],
        pseudonyms: Pseudonyms | None,
    ) -> None:
        """Make sure that it can be written."""
        self._talk, self._path = talk, path
        talk.seg(path, model_sha256, regions, None if pseudonyms is None else pseudonyms.salt)

    def add(self, index: int, name: str, mask: NDArray[np.bool_]) -> None:
        """Take the mask of one slice, `(h, w) bool`, or of R regions `(h, w, R) bool`."""
        self._talk.mask(index, name, mask.astype(np.uint8))

    def finish(self) -> tuple[Path, ...]:
        """Write the file."""
        self._talk.ask("finish")
        if self._path.is_symlink() or not self._path.is_file():
            raise _strange()
        return (self._path,)


def _error(answer: Mapping[str, Any], refused: Callable[[int, str], Exception] | None) -> Exception:
    """Make the error that was raised in the process."""
    name, text, status = answer.get("error"), " ".join(str(answer.get("text")).split()), answer.get("status")
    if refused is not None and isinstance(status, int):
        return refused(status, text)
    kind = _KINDS.get(str(name))
    if kind is None:
        return DatasetError(
            f"the files cannot be read ({text}); they are damaged, hostile or of another format; export them again"
        )
    error = kind.__new__(kind)
    error.args = (text,)
    return error


def _plain(name: str) -> bool:
    """Whether a name is one part of a path."""
    return bool(name) and name not in (".", "..") and not set(name) & {"/", "\\", "\0"}


def _strange() -> LimitError:
    return LimitError(
        "the process that read it gave a strange answer; the files are damaged or hostile; export them again"
    )
