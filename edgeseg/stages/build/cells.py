"""One artifact of a build on its way: each step extends it, and one that fails drops out while the others go on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from edgeseg.errors import EdgeSegError, ModelError, one_line
from edgeseg.results import CELL_FAILED, REFERENCE, EvalResult, LatencyResult, ParityResult
from edgeseg.stages.build.search import Candidate, Searched
from edgeseg.targets import Target

T = TypeVar("T")
OnFailure = Callable[[str, str], None]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a build knows of one artifact so far; None where a step has not come to it, or does not concern it.

    Attributes:
        target: the format.
        path: the file.
        taken: how it was quantised.
        searched: what a search within a budget tried for it.
        parity: against the reference; none for the reference itself.
        evaluation: its scores.
        latency: of one slice.
        failure: the status of an artifact that failed, or whose format cannot hold the network; no later step touches
            it.
    """

    target: Target
    path: Path | None = None
    taken: Candidate | None = None
    searched: Searched | None = None
    parity: ParityResult | None = None
    evaluation: EvalResult | None = None
    latency: LatencyResult | None = None
    failure: str | None = None

    @property
    def name(self) -> str:
        """The target's name."""
        return self.target.name

    @property
    def file(self) -> Path:
        """The file of an artifact that was converted."""
        assert self.path is not None
        return self.path


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step failed, as the status of an artifact says it."""

    status: str


class Attempts:
    """Runs the steps of one variant's artifacts, and tells of those that fail."""

    def __init__(self, on_failure: OnFailure | None = None, *, reference: str = REFERENCE) -> None:
        """Call `on_failure(step, reason)` for each step that fails; `reference` names what must not."""
        self._on_failure, self._reference = on_failure, reference

    def extend(self, cell: Cell, step: str, work: Callable[[Cell], Cell]) -> Cell:
        """Return the cell as a step extends it, or with its failure; one that failed before stays as it is."""
        if cell.failure is not None:
            return cell
        found = self.attempt(cell.name, step, lambda: work(cell))
        return replace(cell, failure=found.status) if isinstance(found, Failure) else found

    def attempt(self, name: str, step: str, make: Callable[[], T]) -> T | Failure:
        """Run one step for what `name` names.

        What fails alone is a network or file that cannot be converted or run, and whatever a converter or runtime
        raises. Bad input, bad options and a full disk stop the build as ever, and so does the reference: nothing can be
        held against it then.

        Raises:
            EdgeSegError: when it is none of the artifact's fault.
        """
        try:
            return make()
        except Exception as error:
            if name == self._reference or (isinstance(error, EdgeSegError) and not isinstance(error, ModelError)):
                raise
            said = one_line(error)
            reason = said if isinstance(error, EdgeSegError) else f"{type(error).__name__}: {said}"
            _LOG.debug("%s %s failed", step, name, exc_info=True)
            if self._on_failure is not None:
                self._on_failure(f"{step} {name}", reason)
            return Failure(f"{CELL_FAILED}: {step}: {reason}")
