"""What MR sequences are called: the names that data sets use, and the channel that each is here."""

from __future__ import annotations

import re

PRE, FLAIR, POST, T2 = "pre", "flair", "post", "t2"

_CALLED = {
    PRE: ("pre", "t1", "t1w", "t1n", "t1pre", "pret1", "precontrast"),
    FLAIR: ("flair", "t2f", "t2flair", "t2wflair", "flairt2"),
    POST: ("post", "t1ce", "t1c", "t1gd", "t1wgd", "t1wce", "t1post", "postt1", "postcontrast"),
    T2: ("t2", "t2w"),
}
_KNOWN = {name: channel for channel, names in _CALLED.items() for name in names}

BRATS = {PRE: ("_t1", "-t1n"), FLAIR: ("_flair", "-t2f"), POST: ("_t1ce", "-t1c"), T2: ("_t2", "-t2w")}
"""How the files of BraTS end, before `.nii`: of 2018 to 2021, and since 2023."""


def channel_name(called: str) -> str:
    """Return what a channel is called here: `pre`, `flair`, `post` or `t2` where it is one, else its name in small.

    Spaces and signs become `-`; empty where no letter or digit is there.
    """
    small = re.sub(r"[^\w]+", "-", called.strip().lower()).strip("-_")
    return _KNOWN.get(small.replace("-", "").replace("_", ""), small)


def channel_names(called: tuple[str, ...]) -> tuple[str, ...]:
    """Name the channels of a data set; as they are called in small where two would get one name."""
    names = tuple(map(channel_name, called))
    if len(set(names)) == len(names):
        return names
    return tuple(re.sub(r"[^\w]+", "-", one.strip().lower()).strip("-_") for one in called)
