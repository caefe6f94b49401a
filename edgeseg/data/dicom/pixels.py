"""From stored pixels to intensities: padding, rescaling, black and white; and a volume that can be cut any way."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.dicom.files import read_pixels
from edgeseg.data.dicom.frames import Frame, Padding
from edgeseg.data.sequence import Plane
from edgeseg.errors import DatasetError
from edgeseg.place import scratch_file

_PROBES = 12


class Pixels:
    """The frames of one series as intensities; padding has the value of the darkest pixel."""

    def __init__(self, frames: tuple[Frame, ...]) -> None:
        """Keep the frames; nothing is read yet."""
        self._frames, self._lock = frames, threading.Lock()
        self._background: float | None = None
        self._volume: NDArray[np.float32] | None = None

    def frame(self, index: int) -> Plane:
        """Read one frame as it lies in the file, `(rows, columns) float64`.

        Raises:
            DatasetError: when it cannot be decoded.
        """
        values, padded = _intensities(self._frames[index])
        if padded is not None and padded.any():
            values[padded] = self._darkest()
        return values

    def volume(self) -> NDArray[np.float32]:
        """Give all frames, `(frames, rows, columns) float32`, from a temporary file that goes with the process."""
        with self._lock:
            if self._volume is None:
                first = self._frames[0]
                size = 4 * len(self._frames) * first.rows * first.columns
                with scratch_file(size) as spool:
                    volume = np.memmap(spool, np.float32, "w+", shape=(len(self._frames), first.rows, first.columns))
                for number in range(len(self._frames)):
                    values, padded = _intensities(self._frames[number])
                    volume[number] = values if padded is None else np.where(padded, np.nan, values)
                lost = np.isnan(volume).any()
                if lost:
                    np.copyto(volume, np.nanmin(volume) if not np.isnan(volume).all() else 0.0, where=np.isnan(volume))
                self._volume = volume
            return self._volume

    def close(self) -> None:
        """Let go of the temporary file."""
        self._volume = None

    def _darkest(self) -> float:
        """Find the darkest value that is no padding, in twelve frames."""
        with self._lock:
            if self._background is None:
                found = []
                for index in np.unique(np.linspace(0, len(self._frames) - 1, _PROBES).astype(int)):
                    values, padded = _intensities(self._frames[int(index)])
                    kept = values if padded is None else values[~padded]
                    found += [float(kept.min())] if kept.size else []
                self._background = min(found, default=0.0)
            return self._background


def _intensities(frame: Frame) -> tuple[Plane, NDArray[np.bool_] | None]:
    """Decode a frame: rescaled, black and white put right; and which pixels are padding."""
    stored = read_pixels(frame.path, frame.number)
    if stored.shape != (frame.rows, frame.columns):
        raise DatasetError(f"{frame.path}: its pixels are not the {frame.rows} x {frame.columns} that its header says")
    values = stored.astype(np.float64) * frame.slope + frame.intercept
    return frame.top - values if frame.inverted else values, None if frame.padding is None else _padded(
        stored, frame.padding
    )


def _padded(stored: NDArray[np.generic], padding: Padding) -> NDArray[np.bool_]:
    """Find padding, also where a decoder has cut the value down to the bits that pixels have."""
    values = stored.astype(np.int64)
    if padding.low != padding.high:
        return np.asarray((values >= padding.low) & (values <= padding.high))
    found = values == padding.low
    if not found.any() and not -(1 << padding.bits - 1) <= padding.low < 1 << padding.bits:
        mask = (1 << padding.bits) - 1
        found = (values & mask) == (padding.low & mask)
    return np.asarray(found)
