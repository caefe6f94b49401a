"""The one rule that every seed keeps."""

from __future__ import annotations

from edgeseg.errors import OptionError


def check_seed(seed: int) -> None:
    """Refuse a seed that draws nothing; stages do so before their work, and not at the first draw.

    Raises:
        OptionError: for a negative one.
    """
    if seed < 0:
        raise OptionError(f"seed is {seed}; it must be at least 0")
