"""What there is: file formats, networks and tiers, and what the cache keeps; drawn for a terminal of 80 columns."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Column, Table

from edgeseg.reports.table import figures, rich_table
from edgeseg.results import CacheList, TargetList, VariantList


def target_tables(listed: TargetList) -> tuple[RenderableType, ...]:
    """Draw the file formats, and below them what is to be known of some."""
    facts = (
        (t.name, t.runtime, t.precision, t.layout, "yes" if t.needs_calibration else "no", f"{t.max_flip_ppm:g} ppm")
        for t in listed.targets
    )
    heads = map(Column, ("target", "runtime", "precision", "layout", "calibration"))
    notes = ((t.name, t.note) for t in listed.targets if t.note)
    return (
        rich_table((*heads, *figures("flips allowed", wrap=True)), facts, gap=2, edge=True),
        "",
        rich_table((Column(no_wrap=True), Column()), notes, gap=2, edge=True, head=False),
    )


def variant_tables(listed: VariantList) -> tuple[RenderableType, ...]:
    """Draw the networks with what they hold and compute, and the tiers."""
    networks = (
        (
            row.variant,
            f"{row.census.parameters / 1e6:.2f} M",
            f"{row.census.macs / 1e9:.2f} G",
            f"{row.census.parameters * 4 / 1e6:.1f}",
            "ship" if row.weights else "train them",
        )
        for row in listed.variants
    )
    counted = figures("parameters", "MACs", "weights MB", wrap=True)
    title = "Networks at 256 x 256 x 3, float32"
    tiers = ((tier.name, tier.variant.slug, tier.summary) for tier in listed.tiers)
    heads = map(Column, ("tier", "variant", "what it is"))
    return (
        rich_table(
            (Column("variant"), *counted, Column("trained weights")),
            networks,
            title=title,
            title_style="italic",
            gap=2,
            edge=True,
        ),
        "",
        rich_table(heads, tiers, title="Tiers", title_style="italic", gap=2, edge=True),
    )


def cache_table(found: CacheList) -> Table:
    """Draw the entries of the cache with their sizes."""
    rows = ((entry.path, str(entry.files), f"{entry.size_bytes / 1e6:.1f}") for entry in found.entries)
    return rich_table((Column("name", overflow="fold"), *figures("files", "MB", wrap=True)), rows, gap=2, edge=True)
