"""Takes results to their destinations, each on a thread of its own, so that one that is down holds up no other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from edgeseg.errors import OutputError
from edgeseg.node.count import Counts
from edgeseg.node.failure import Refused, Unreachable
from edgeseg.node.place import Place
from edgeseg.node.sendings import Sendings
from edgeseg.node.store import send_by_store
from edgeseg.node.stow import send_by_stow
from edgeseg.node.wait import Waits
from edgeseg.specs import Destination, NodeOptions
from edgeseg.specs.node import DICOM, FOLDER, STOW

_LOG = logging.getLogger("edgeseg.node")
_HOUR_S = 3600.0
_GONE = "the results are not on the disk any more; forget the study, and have it sent again"
_GIVEN_UP = "it could not be reached for {:g} hours, last: {}"


class Sender:
    """Sends to one destination."""

    def __init__(
        self, destination: Destination, sendings: Sendings, place: Place, options: NodeOptions, counts: Counts
    ) -> None:
        """Take what is needed."""
        self.destination, self._sendings, self._place, self._counts = destination, sendings, place, counts
        self._options, self._waits, self._refused = options, Waits(options.backoff_s), dict[int, int]()

    def step(self) -> bool:
        """Send one study; whether there was any."""
        study = self._sendings.next(self.destination.name, but=self._waits.waiting())
        if study is None:
            return False
        start = time.perf_counter()
        results = self._place.files(study)
        files = [path for kind, path in results.items() if kind in self.destination.send]
        try:
            if not results:
                raise Refused(_GONE)
            _WAYS[self.destination.kind](self.destination, files, self._options)
        except (Refused, Unreachable, OutputError, OSError) as error:
            end = self._missed(study, error)
        else:
            self._sendings.sent(study, self.destination.name)
            self._forget(study)
            end = "sent"
            _LOG.info("study %d: %d results are at %s", study, len(files), self.destination.name)
        self._counts.sent(self.destination.name, end, time.perf_counter() - start)
        return True

    def _missed(self, study: int, error: Exception) -> str:
        refused = isinstance(error, Refused)
        told = str(error) if isinstance(error, (Refused, Unreachable)) else type(error).__name__
        seconds = self._waits.missed(study)
        self._refused[study] = self._refused.get(study, 0) + refused
        over = self._waits.since_s(study) > self._options.give_up_h * _HOUR_S
        final = self._refused[study] >= self._options.attempts or over
        if over and not refused:
            told = _GIVEN_UP.format(self._options.give_up_h, told)
        self._sendings.missed(study, self.destination.name, told, final=final)
        if final:
            self._forget(study)
            _LOG.error("study %d: %s has not got it: %s", study, self.destination.name, told)
            return "failed"
        _LOG.warning("study %d: %s: %s; tried again in %.0f s", study, self.destination.name, told, seconds)
        return "later"

    def _forget(self, study: int) -> None:
        self._waits.forget(study)
        self._refused.pop(study, None)


def _send_to_folder(destination: Destination, files: list[Path], _options: NodeOptions) -> None:
    """Copy files into a folder of the study's own; the same study again writes the same names."""
    from pydicom import dcmread

    from edgeseg.artifacts import write_bytes

    for path in files:
        read = dcmread(path, specific_tags=["StudyInstanceUID", "SOPInstanceUID"], stop_before_pixels=True)
        folder = Path(str(destination.folder)) / _safe(str(read.StudyInstanceUID))
        write_bytes(folder / f"{path.stem}-{_safe(str(read.SOPInstanceUID))}.dcm", path.read_bytes())


def _safe(uid: str) -> str:
    """Keep digits and dots alone."""
    return "".join(char for char in uid if char.isdigit() or char == ".").strip(".")[:64] or "unknown"


Way = Callable[[Destination, list[Path], NodeOptions], None]
_WAYS: dict[str, Way] = {DICOM: send_by_store, STOW: send_by_stow, FOLDER: _send_to_folder}
