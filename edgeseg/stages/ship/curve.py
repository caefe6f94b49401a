"""The picture of a training: loss and validation Dice over epochs."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from edgeseg.errors import MissingExtraError
from edgeseg.reports.escape import plain_texts
from edgeseg.results import EpochRecord

_COLOURS = 64
"""Lines and text need no more, in a quarter of the bytes."""


def learning_curve(history: Sequence[EpochRecord], *, title: str) -> bytes:
    """Draw loss and validation Dice over epochs; returns a PNG.

    Raises:
        MissingExtraError: when matplotlib is absent.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "build", "a learning curve") from error
    figure = Figure(figsize=(7.0, 3.6), layout="constrained")
    left = figure.add_subplot()
    left.plot([r.epoch for r in history], [r.loss for r in history], color="tab:gray", label="training loss")
    left.set(xlabel="epoch", ylabel="training loss", title=title)
    scored = [
        (r.epoch, r.dice_mean, r.dice_median) for r in history if r.dice_mean is not None and r.dice_median is not None
    ]
    epochs, means, medians = zip(*scored, strict=True) if scored else ((), (), ())
    right = left.twinx()
    right.plot(epochs, means, color="tab:blue", label="Dice, mean")
    right.plot(epochs, medians, color="tab:green", label="Dice, median")
    right.set(ylabel="validation Dice per patient", ylim=(0.0, 1.0))
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    plain_texts(figure)
    stream, small = io.BytesIO(), io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    with Image.open(stream) as drawn:
        drawn.convert("RGB").quantize(_COLOURS).save(small, format="png", optimize=True)
    return small.getvalue()
