"""Which artifacts of a build still stand: one that fails drops out with its reason, and the others go on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from edgeseg.errors import EdgeSegError, ModelError, one_line
from edgeseg.results import CELL_FAILED, REFERENCE

T = TypeVar("T")
OnFailure = Callable[[str, str], None]
_LOG = logging.getLogger(__name__)


class Cells:
    """The failures of one variant's row of the matrix, by target."""

    def __init__(self, on_failure: OnFailure | None = None) -> None:
        """Call `on_failure(step, reason)` for each cell that fails."""
        self._on_failure = on_failure
        self.failed: dict[str, str] = {}

    def attempt(self, target: str, step: str, make: Callable[[], T]) -> T | None:
        """Run one step for a target; None where it fails, or where an earlier one did.

        What fails the cell is a network or file that cannot be converted or run, and whatever a converter or runtime
        raises. Bad input, bad options and a full disk stop the build as ever, and so does the reference: nothing can be
        held against it then.

        Raises:
            EdgeSegError: when it is none of the cell's fault.
        """
        if target in self.failed:
            return None
        try:
            return make()
        except Exception as error:
            if target == REFERENCE or (isinstance(error, EdgeSegError) and not isinstance(error, ModelError)):
                raise
            said = one_line(error)
            reason = said if isinstance(error, EdgeSegError) else f"{type(error).__name__}: {said}"
            _LOG.debug("%s %s failed", step, target, exc_info=True)
            self.failed[target] = f"{CELL_FAILED}: {step}: {reason}"
            if self._on_failure is not None:
                self._on_failure(f"{step} {target}", reason)
            return None
