"""Every patient by name: Dice of the float network and of an artifact, joined by a line."""

from __future__ import annotations

from edgeseg.reports.page import svg
from edgeseg.results import EvalResult


def plot(before: EvalResult, after: EvalResult, *, salt: str) -> str:
    """Draw one line per patient, the best at the top, as SVG.

    Args:
        before: of the float network.
        after: of the artifact, on the same patients.
        salt: see `svg.inline`.
    """
    was = {score.patient: score.dice for score in before.patients}
    scores = sorted((s for s in after.patients if s.patient in was), key=lambda s: (was[s.patient], s.patient))
    places = list(range(len(scores)))
    drawn, axes = svg.figure(6.4, 0.2 * len(scores) + 1.1)
    worse = [score.dice < was[score.patient] for score in scores]
    for place, score, lost in zip(places, scores, worse, strict=True):
        colour = svg.POOR if lost else svg.GOOD
        axes.plot([was[score.patient], score.dice], [place, place], color=colour, linewidth=2.0, zorder=1)
    axes.scatter([was[s.patient] for s in scores], places, s=22, color=svg.FLOAT, label=before.artifact, zorder=2)
    axes.scatter([s.dice for s in scores], places, s=12, color=svg.INT8, label=after.artifact, zorder=3)
    axes.set_yticks(places, [score.patient for score in scores], fontsize=7)
    axes.set_ylim(-0.8, len(scores) - 0.2)
    axes.set_xlim(right=1.005)
    axes.set(xlabel="Dice of the patient's volume")
    svg.legend(axes, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.1)
    return svg.inline(drawn, salt=salt, title=f"Dice per patient, {before.artifact} against {after.artifact}")
