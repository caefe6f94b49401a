"""The two ways in which a sending fails; both say so in words that name no patient."""

from __future__ import annotations


class Unreachable(Exception):  # noqa: N818 (it is a state)
    """The destination is not there, too slow or too busy; it is tried again for as long as `give_up_h` says."""


class Refused(Exception):  # noqa: N818 (likewise)
    """The destination has said no; it is tried again a few times alone."""
