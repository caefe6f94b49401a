"""What there is: file formats, networks and tiers, and what the cache keeps; drawn for a terminal of 80 columns."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Column, Table

from edgeseg.reports.table import figures, literal, rich_table
from edgeseg.reports.words import ABSENT, interval_text, macs_text, size_text
from edgeseg.results import CacheList, ListedNetwork, NetworkList, NetworkScore, TargetList, VariantList


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
        "",
        literal(_GROUPS, "dim"),
    )


def variant_tables(listed: VariantList) -> tuple[RenderableType, ...]:
    """Draw the networks with what they hold and compute, and the tiers."""
    networks = (
        (
            row.variant,
            f"{row.census.parameters / 1e6:.2f} M",
            macs_text(row.census.macs),
            f"{row.census.parameters * 4 / 1e6:.1f}",
            row.network or "train them",
        )
        for row in listed.variants
    )
    counted = figures("parameters", "MACs", "weights MB", wrap=True)
    title = "Networks at 256 x 256 x 3, float32"
    tiers = ((tier.name, tier.variant.slug, tier.summary) for tier in listed.tiers)
    heads = map(Column, ("tier", "variant", "what it is"))
    return (
        rich_table(
            (Column("variant"), *counted, Column("trained as")),
            networks,
            title=title,
            title_style="italic",
            gap=2,
            edge=True,
        ),
        "",
        rich_table(heads, tiers, title="Tiers", title_style="italic", gap=2, edge=True),
    )


def network_tables(listed: NetworkList) -> tuple[RenderableType, ...]:
    """Draw the networks that have a name: how good they are, their files, and what each is for."""
    scores, files, told = [], [], []
    targets = list(dict.fromkeys(file.target for row in listed.networks for file in row.files))
    for row in listed.networks:
        one = row.network
        scores.append((one.name, *map(_score, (one.held_out, one.out_of_fold))))
        weights = f"{one.parameters / 1e3:.0f} k", macs_text(one.macs)
        sizes = {file.target: size_text(file.size_bytes) for file in row.files}
        files.append((one.name, *weights, *(sizes.get(target, ABSENT) for target in targets)))
        told.append((one.name, _purpose(row)))
    name = Column("network", overflow="fold")
    return (
        rich_table((name, *figures("Dice held out", "Dice out of fold")), scores, gap=2, edge=True),
        "",
        rich_table((name, *figures("parameters", "MACs", *targets)), files, gap=2, edge=True),
        "",
        rich_table((Column(no_wrap=True), Column()), told, gap=2, edge=True, head=False),
        "",
        literal(_DICE, "dim"),
        literal(_FILES, "dim"),
    )


_GROUPS = "A part of a name stands for all that have it, and commas join: --target int8, --target onnx, --target all."
_DICE = (
    "Dice per patient, mean [95 %]: held out of the training of these very weights; out of fold over all patients, of "
    "networks trained in the same way. Compare within a column: the patients differ."
)
_FILES = (
    "Every installation runs the onnx files; a .tflite needs edgeseg[build] or a LiteRT of your own. 'edgeseg networks "
    "NAME' shows the card of one."
)


def _score(score: NetworkScore | None) -> str:
    return ABSENT if score is None else f"{interval_text(score.dice)}, n = {score.patients}"


def _purpose(row: ListedNetwork) -> str:
    one = row.network
    parts = [one.purpose, f"{one.slug}, {'your own' if row.own else 'ships with edgeseg'}"]
    if not row.weights:
        parts.append("files alone: without weights to train, compress or build from")
    if one.held_out.classes:
        parts.append(f"held out, {', '.join(f'{each.name} {each.dice.mean:.3f}' for each in one.held_out.classes)}")
    if one.rests_on_phantoms:
        parts.append("RESTS ON PHANTOMS: its Dice says nothing about people")
    if one.failed:
        parts.append(f"FAILED {len(one.failed)} of its checks: {'; '.join(one.failed)}")
    return "; ".join(filter(None, parts))


def cache_table(found: CacheList) -> Table:
    """Draw the entries of the cache with their sizes."""
    rows = ((entry.path, str(entry.files), f"{entry.size_bytes / 1e6:.1f}") for entry in found.entries)
    return rich_table((Column("name", overflow="fold"), *figures("files", "MB", wrap=True)), rows, gap=2, edge=True)
