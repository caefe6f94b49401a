"""A size of images as commands take it."""

from __future__ import annotations

import re


def pixels(text: str | None) -> tuple[int, int] | None:
    """Read `256`, or `256x320` as height and width; None for None.

    Raises:
        OptionError: for anything else.
    """
    from edgeseg.errors import OptionError

    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text.strip().lower())
    if found is None or not all(int(side or 1) for side in found.groups()):
        raise OptionError(f"size is '{text}'; pixels are needed, such as 256, or 256x320 for height and width")
    height = int(found[1])
    return height, int(found[2] or height)
