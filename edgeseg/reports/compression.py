"""What compression made of networks, drawn for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Column, Table

from edgeseg.reports.table import figures, rich_table
from edgeseg.results import NetworkSize


def sizes_table(first: str, networks: Iterable[tuple[str, NetworkSize]]) -> Table:
    """Draw a line per network, and below it one for each of several classes; `first` heads what they are called."""
    rows = (row for name, size in networks for row in _rows(name, size))
    heads = figures("parameters", "MACs", "float MB", "gzip MB", "zeros", "Dice mean", "median", wrap=True)
    title = "Float networks, validation patients"
    return rich_table((Column(first), *heads), rows, title=title, title_style="italic", edge=True)


def _rows(name: str, size: NetworkSize) -> tuple[tuple[str, ...], ...]:
    whole = (
        name,
        f"{size.parameters:,}",
        f"{size.macs / 1e6:.1f} M",
        f"{size.weights_bytes / 1e6:.3f}",
        f"{size.gzip_bytes / 1e6:.3f}",
        f"{100 * size.zero_share:.0f} %",
        f"{size.dice_mean:.3f}",
        f"{size.dice_median:.3f}",
    )
    empty = ("",) * 5
    each = ((f"  {one.name}", *empty, f"{one.dice_mean:.3f}", f"{one.dice_median:.3f}") for one in size.classes)
    return (whole, *each)


MOST_LOST = 0.02
"""Mean Dice that a compression may cost before it is said in so many words."""


def lost(given: float, left: float) -> str | None:
    """Say that Dice fell, and what to do; None where it did not fall by much."""
    if given - left <= MOST_LOST:
        return None
    return (
        f"DICE FELL from {given:.3f} to {left:.3f} on the validation patients: train for more --epochs, let the "
        "network before teach (--set distil_weight=0.5), or keep more of it"
    )
