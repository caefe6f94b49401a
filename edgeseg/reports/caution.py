"""What weakens the figures of a build: shown with every table, whoever asks for no remarks."""

from __future__ import annotations

from collections.abc import Iterator

from edgeseg.data.volume import PHANTOM
from edgeseg.results import BuildResult, EvalResult


def cautions(build: BuildResult) -> tuple[str, ...]:
    """Return the sentences without which the table would promise too much."""
    found = []
    if build.rests_on_phantoms:
        found.append(
            f"RESTS ON PHANTOMS: weights {build.weights}, data {build.data}; this Dice says nothing about "
            "real patients."
        )
    elif build.calibrated_on == PHANTOM:
        found.append("CALIBRATED ON PHANTOMS: the int8 ranges come from made-up heads, not from this data.")
    evaluations = [row.evaluation for row in build.artifacts if row.evaluation is not None]
    found += [*_seen(evaluations), *_blind(build)]
    if build.folds:
        found.append(
            f"OUT OF FOLD: every patient is scored by the one of {build.folds} networks that never saw them; sizes are "
            "those of the largest of a row's files, latencies those of the first."
        )
    if build.origin is not None:
        found.append(build.origin)
    return tuple(found)


def _seen(evaluations: list[EvalResult]) -> Iterator[str]:
    if seen := max((e.seen_patients for e in evaluations), default=0):
        count = max(len(e.patients) for e in evaluations)
        yield (
            f"SEEN PATIENTS (*): {seen} of {count} evaluated patients were used for "
            "training or calibration (--allow-seen); the Dice marked * is too good."
        )
    if unknown := max((e.seen_unknown for e in evaluations), default=0):
        yield (
            f"CANNOT TELL (?) whether evaluated patients were used for training or calibration: {unknown} of those "
            "seen stand in the artifact as pseudonyms whose key is not here; the Dice marked ? may be too good."
        )


def _blind(build: BuildResult) -> Iterator[str]:
    """Say which artifacts touch no lesion of anybody: a network that is fed other numbers than it learned does that."""
    blind = [] if build.rests_on_phantoms else [f"{r.label} {r.target}" for r in build.artifacts if r.finds_nothing]
    if blind:
        yield (
            f"FINDS NOTHING: {', '.join(blind)} touch{'es' * (len(blind) == 1)} no lesion of the patients scored. If "
            "the network is better than that elsewhere, its channels, scaling or threshold differ from those of its "
            "contract (edgeseg contract show FILE; docs/how-to/own-network.md, 'Grey levels')."
        )
