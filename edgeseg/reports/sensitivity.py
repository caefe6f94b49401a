"""What int8 costs, layer by layer, as bars."""

from __future__ import annotations

import io

from edgeseg.errors import MissingExtraError
from edgeseg.reports.escape import plain_texts
from edgeseg.results import SensitivityResult


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
