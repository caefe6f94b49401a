"""What int8 costs, layer by layer: as a table of 80 columns, and as bars."""

from __future__ import annotations

import io

from rich.console import RenderableType
from rich.table import Column

from edgeseg.errors import MissingExtraError
from edgeseg.reports.escape import plain_texts
from edgeseg.reports.table import figures, literal, rich_table
from edgeseg.reports.words import ABSENT_ASCII
from edgeseg.results import SensitivityResult

_LAYER = 38
"""Columns for a layer's name, some of which are long paths: the figures must stay whole."""


def sensitivity_table(result: SensitivityResult) -> tuple[RenderableType, ...]:
    """Draw the two networks as a whole, the layers, and what their figures mean."""
    title = f"{result.variant} {result.target}: Dice {result.float_dice_mean:.4f} in float, {result.int8_dice_mean:.4f}"
    rows = (
        (
            entry.layer,
            f"{entry.weights}",
            _db(entry.alone_sqnr_db),
            f"{entry.alone_dice_delta:+.4f}",
            ABSENT_ASCII if entry.kept_gain_db is None else f"{entry.kept_gain_db:+.2f}",
            f"{entry.kept_dice_delta:+.4f}",
        )
        for entry in result.worst_first()
    )
    heads = figures("Weights", "alone, dB", "Dice", "kept in float, dB", "Dice", wrap=True)
    return (
        literal(f"{title} in int8, logits at {_db(result.int8_sqnr_db)} dB"),
        rich_table((Column("Layer", overflow="fold", max_width=_LAYER), *heads), rows),
        literal(
            "Worst first. alone: the only int8 layer, its signal-to-noise ratio in the logits and its change of Dice; "
            f"kept in float: the only float layer, what it gains. n = {result.patients} training patients of "
            f"{result.data}, {result.slices} slices; {result.calibration}; {result.numerics}."
        ),
    )


def draw(result: SensitivityResult) -> bytes:
    """Draw two panels, the noise that each layer makes alone and what keeping it in float gains; returns a PNG.

    Raises:
        MissingExtraError: when matplotlib is absent.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "build", "a bar plot") from error
    names = [entry.layer for entry in result.layers]
    figure = Figure(figsize=(9.0, 1.6 + 0.24 * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    left.barh(names, [entry.alone_sqnr_db or 0.0 for entry in result.layers], color="tab:blue")
    left.set(xlabel="SQNR of the logits, only this layer int8, dB")
    right.barh(names, [entry.kept_gain_db or 0.0 for entry in result.layers], color="tab:orange")
    right.set(xlabel="SQNR gained, only this layer in float, dB")
    right.axvline(0.0, color="black", linewidth=0.8)
    left.invert_yaxis()
    figure.suptitle(f"{result.variant} {result.target}, n = {result.patients} training patients of {result.data}")
    plain_texts(figure)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()


def _db(value: float | None) -> str:
    return ABSENT_ASCII if value is None else f"{value:.1f}"
