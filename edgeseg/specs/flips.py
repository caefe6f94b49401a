"""Test-time flips, by name."""

from __future__ import annotations

from edgeseg.errors import OptionError

FLIPS: dict[str, tuple[tuple[int, int], ...]] = {
    "none": ((1, 1),),
    "hflip": ((1, 1), (1, -1)),
    "vflip": ((1, 1), (-1, 1)),
    "flips": ((1, 1), (1, -1), (-1, 1), (-1, -1)),
}
"""Test-time flips by name: the steps along rows and columns of each pass, -1 backwards; `hflip` is left-right."""


def check_flips(flips: str) -> None:
    """Refuse a name that is not in `FLIPS`.

    Raises:
        OptionError: with the names there are.
    """
    if flips not in FLIPS:
        raise OptionError(f"test-time flips '{flips}' are unknown; choose one of: {', '.join(FLIPS)}")
