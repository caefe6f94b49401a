"""How often a network sees a slice."""

from __future__ import annotations

from edgeseg.errors import OptionError

PASSES = (1, 2)
"""Once, the default, or a second time with left and right exchanged; `edgeseg.imaging.in_passes` takes the mean."""
PASS_FLIPS = {1: "none", 2: "hflip"}
"""The test-time flips that are the same."""


def check_passes(passes: int) -> None:
    """Refuse a number of passes that no runner has.

    Raises:
        OptionError: naming those there are.
    """
    if passes not in PASSES:
        raise OptionError(f"passes is {passes}; a network sees a slice once, or twice: choose 1 or 2")
