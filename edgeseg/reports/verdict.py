"""The answer of a build in one sentence: which file to ship, or what fell short and what to try."""

from __future__ import annotations

from edgeseg.reports.words import interval_text, milliseconds_text, size_text, times_text
from edgeseg.results import NOTABLE_LOSS, ArtifactRow, BaselineResult, BuildResult

_SEARCH = f"--max-drop {NOTABLE_LOSS:g} searches for ranges and layers that lose less"

LOW_DICE, FEW_PATIENTS = 0.5, 5
"""Below these a file is not said to be ready, though it loses nothing to its network."""


def verdict(build: BuildResult) -> str:
    """Return the sentence with which terminal, Markdown and page begin; for several classes Dice is their mean."""
    main = build.main
    if main is None or main.evaluation is None:
        count = len(build.artifacts)
        return f"NOTHING TO SHIP: none of {count} artifacts was made, verified and scored; the reasons stand below."
    name = f"{main.label} {main.target}"
    if build.rests_on_phantoms:
        return (
            f"The chain works: {name} is {_facts(build, main)}. Its Dice is that of phantoms and says nothing about "
            "patients; score it on yours with --data DIR."
        )
    dice = f"Dice {interval_text(main.evaluation.dice)} on {len(main.evaluation.patients)} patients"
    if main.finds_nothing:
        return f"NOT FIT TO SHIP: {name} finds none of the lesions; train longer, or see what its contract says."
    if missed := [found for found in build.budgets if not found.confirmed]:
        return (
            f"FELL SHORT: {name} is {_facts(build, main)}, {dice}, and the budget of {missed[0].max_drop:g} Dice is "
            "not confirmed; score more patients, train longer, or allow a larger --max-drop."
        )
    if main.falls_short:
        return f"FELL SHORT: {name} is {_facts(build, main)}, {dice}, {_loss(main)}; {_SEARCH}."
    if main.evaluation.dice.mean < LOW_DICE:
        return (
            f"LOW DICE: {name} is {_facts(build, main)}; {dice}{_proof(build, main)}. It keeps what its network can, "
            "which is little: train longer, or on more patients, before anything ships."
        )
    few = " So few patients prove little." if len(main.evaluation.patients) < FEW_PATIENTS else ""
    return f"Ship {name}: {_facts(build, main)}; {dice}{_proof(build, main)}.{few}{_others(build)}"


def _facts(build: BuildResult, main: ArtifactRow) -> str:
    parts = [size_text(main.size_bytes)]
    if build.baseline is not None and build.baseline.size_bytes > main.size_bytes:
        times = times_text(build.baseline.size_bytes / main.size_bytes)
        parts.append(f"{times} times smaller than {_start(build.baseline)}")
    if main.latency is not None:
        parts.append(f"{milliseconds_text(main.latency.latency_ms_p50)} ms a slice here")
    return ", ".join(parts)


def _start(base: BaselineResult) -> str:
    size = size_text(base.size_bytes)
    return f"your {size} file" if base.given else f"the study's {size} file"


def _proof(build: BuildResult, main: ArtifactRow) -> str:
    """Say what stands behind the Dice: the float network's, the pixels that changed, and what makes it too good."""
    reference = build.reference(main.label)
    parts = []
    if main.dice_delta_to_float is not None and reference is not None and reference.evaluation is not None:
        parts.append(f"{reference.evaluation.dice.mean:.3f} in float")
    if main.parity is not None:
        parts.append(f"{main.parity.flips_ppm:.0f} pixels in a million flipped")
    if main.evaluation is not None and main.evaluation.seen_patients:
        parts.append("too good, since training saw some of them")
    return f" ({', '.join(parts)})" if parts else ""


def _loss(row: ArtifactRow) -> str:
    lost = 0.0 if row.dice_delta_to_float is None else -row.dice_delta_to_float.mean
    return f"which is {lost:.3f} less than its float network's"


def _others(build: BuildResult) -> str:
    """Name the files that stand and lose too much."""
    lost = [row for row in build.artifacts if row.stands and row.falls_short]
    if not lost:
        return ""
    names = ", ".join(f"{row.label} {row.target}" for row in lost)
    return f" {names} lose{'s' * (len(lost) == 1)} more than {NOTABLE_LOSS:g} Dice: {_SEARCH}."
