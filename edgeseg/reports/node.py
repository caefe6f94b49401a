"""The queue of a DICOM node as a table."""

from __future__ import annotations

from rich.table import Column, Table

from edgeseg.reports.table import figures, rich_table
from edgeseg.results import NodeStatus, NodeStudy


def node_table(found: NodeStatus) -> Table:
    """Draw the studies of a queue, each with where its results are and why something did not work."""
    rows = (
        (str(one.study), one.state, str(one.objects), f"{one.size_bytes / 1e6:.1f}", _sent(one), one.reason or "")
        for one in found.studies
    )
    heads = (*figures("study"), Column("state"), *figures("objects", "MB"), Column("destinations"), Column("reason"))
    return rich_table(heads, rows, gap=2, edge=True)


def _sent(one: NodeStudy) -> str:
    return ", ".join(f"{sending.destination} {sending.state}" for sending in one.sendings)
