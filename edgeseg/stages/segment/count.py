"""How far a run is, in slices."""

from __future__ import annotations

from edgeseg.progress import Progress


class Count:
    """Slices that are done, out of those that are known of."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        """Begin with none done."""
        self.total, self._done, self._progress = total, 0, progress

    def advance(self, label: str) -> None:
        """Count a slice."""
        self._done += 1
        if self._progress:
            self._progress(self._done, self.total, label)

    def pass_over(self, slices: int) -> None:
        """Take slices out of those that are to be done."""
        self.total -= slices

    def add(self, more: int, slices: int, label: str) -> None:
        """Count a patient that was done elsewhere: `more` slices than were known of, `slices` altogether."""
        self.total += more
        self._done += slices
        if self._progress:
            self._progress(self._done, self.total, label)
