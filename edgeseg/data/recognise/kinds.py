"""Which kind of series a channel of a network asks for, by the channel's name."""

from __future__ import annotations

import re

PRE, FLAIR, POST, T2 = "pre", "flair", "post", "t2"
"""T1-weighted before contrast agent, T2-weighted with water suppressed, T1-weighted after agent, T2-weighted."""
_NAMES = {
    PRE: "pre t1 t1n t1w t1wi t1pre t1native t1weighted",
    FLAIR: "flair t2f t2flair t2wflair flairt2",
    POST: "post t1c t1ce t1gd t1gado t1post t1wce t1wgd t1cepost t1contrast",
    T2: "t2 t2w t2wi t2weighted",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}


def kind_of(channel: str) -> str | None:
    """Return the kind of series that a channel of this name asks for; None for a name that is not known."""
    return _KINDS.get(re.sub(r"[^a-z0-9]", "", channel.casefold()))


def is_known(channel: str) -> bool:
    """Whether the name of a channel says what kind of series it asks for."""
    return kind_of(channel) is not None


def differ_by_contrast(one: str | None, other: str) -> bool:
    """Whether two channels are T1-weighted both, one before and one after contrast agent."""
    return {kind_of(one or ""), kind_of(other)} == {PRE, POST}


def channel_of(kind: str, channels: tuple[str, ...]) -> str | None:
    """Return the channel that asks for a kind of series; the kind itself where no channels are given."""
    if not channels:
        return kind
    return next((channel for channel in channels if kind_of(channel) == kind), None)
