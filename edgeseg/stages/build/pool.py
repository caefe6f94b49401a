"""The builds of a cross-validation's folds as one: every patient scored by the artifact that never saw them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgeseg import artifacts
from edgeseg.errors import DatasetError
from edgeseg.results import CELL_FAILED, GOOD_STATUS, REFERENCE, ArtifactRow, BuildResult, EvalResult, ParityResult
from edgeseg.stages.build.matrix import merged
from edgeseg.stages.score import dice_delta, result_of

_PRUNED = re.compile(r"-w[0-9a-f]{6}$")


def pooled(builds: Mapping[str, BuildResult]) -> BuildResult:
    """Bring the builds of the folds of one training, or of several on the same folds, together.

    Of a row's folds, its size, compressed size, parameters and multiply-accumulates are the largest, its latency is
    the first's, its hash is that of their hashes joined, and it names no file. Its parity is over all slices, or, where
    a fold failed, the worst fold's. Its status is the first that says that an artifact could not be made, or else the
    first that is not good, with the fold's name. Where channels were removed each fold has widths of its own; the row's
    variant then ends in six digits of the hash of theirs.

    Args:
        builds: by the name of the fold, in order; each with the same variants and targets.

    Returns:
        A build over all patients. Its operating point is left out: what each fold says of it is not true of all.

    Raises:
        DatasetError: when a patient was scored in two of them.
    """
    _check_disjoint(builds)
    parts, rows = tuple(builds.values()), list[ArtifactRow]()
    reference: EvalResult | None = None
    for of_target in zip(*(build.artifacts for build in parts), strict=True):
        row = _row(dict(zip(builds, of_target, strict=True)))
        if row.target == REFERENCE:
            reference = row.evaluation
        elif row.evaluation is not None and reference is not None:
            row = replace(row, dice_delta_to_float=dice_delta(row.evaluation, reference, seed=parts[0].seed))
        rows.append(row)
    names = ", ".join(dict.fromkeys(row.label for row in rows))
    fewest, most = (of_all(build.training_patients for build in parts) for of_all in (min, max))
    each = f"{most}" if fewest == most else f"{fewest} to {most}"
    return replace(
        merged(parts),
        weights=f"{len(parts)} folds of {names}, each trained on {each} patients of {parts[0].data}",
        operating_point=None,
        artifacts=tuple(rows),
        stages=(),
        folds=len(parts),
    )


def _check_disjoint(builds: Mapping[str, BuildResult]) -> None:
    met: dict[str, str] = {}
    for fold, build in builds.items():
        for patient in {s.patient for row in build.artifacts if row.evaluation for s in row.evaluation.patients}:
            if patient in met:
                raise DatasetError(
                    f"{patient} was scored in {met[patient]} and in {fold}; a patient is scored once, by the fold that "
                    "held them out, so give runs on the same folds, and the data that they were trained on"
                )
            met[patient] = fold


def _row(folds: Mapping[str, ArtifactRow]) -> ArtifactRow:
    rows = tuple(folds.values())
    hashes, status = "".join(row.sha256 for row in rows), _status(folds)
    parities = [] if status.startswith(CELL_FAILED) else [row.parity for row in rows if row.parity is not None]
    return replace(
        rows[0],
        variant=_variant([row.variant for row in rows]),
        network=rows[0].network if len({row.network for row in rows}) == 1 else "",
        path="",
        sha256=artifacts.sha256_bytes(hashes.encode()) if hashes else "",
        size_bytes=max(row.size_bytes for row in rows),
        gzip_size_bytes=max(row.gzip_size_bytes for row in rows),
        parameters=max(row.parameters for row in rows),
        macs=max(row.macs for row in rows),
        parity=_parity(parities),
        evaluation=_evaluation([row.evaluation for row in rows]),
        dice_delta_to_float=None,
        status=status,
    )


def _variant(slugs: Sequence[str]) -> str:
    if len(set(slugs)) == 1:
        return slugs[0]
    return f"{_PRUNED.sub('', slugs[0])}-w{artifacts.sha256_bytes(','.join(slugs).encode())[:6]}"


def _status(folds: Mapping[str, ArtifactRow]) -> str:
    bad = [f"{row.status} ({fold})" for fold, row in folds.items() if row.status != GOOD_STATUS]
    return next((status for status in bad if status.startswith(CELL_FAILED)), bad[0] if bad else GOOD_STATUS)


def _parity(found: Sequence[ParityResult]) -> ParityResult | None:
    if failed := [parity for parity in found if not parity.passed]:
        return max(failed, key=lambda parity: parity.flips_ppm)
    if not found:
        return None
    worst = max(found, key=lambda parity: parity.worst_slice_flipped_pixels)
    slices = sum(parity.slices for parity in found)
    return replace(
        worst,
        slices=slices,
        max_logit_difference=max(parity.max_logit_difference for parity in found),
        flipped_pixels=sum(parity.flipped_pixels for parity in found),
        flips_ppm=sum(parity.flips_ppm * parity.slices for parity in found) / slices,
    )


def _evaluation(found: Sequence[EvalResult | None]) -> EvalResult | None:
    """Score all patients together; None where the artifact of a fold was not scored."""
    known = [evaluation for evaluation in found if evaluation is not None]
    if len(known) < len(found):
        return None
    first = known[0]
    whole = result_of(
        [score for evaluation in known for score in evaluation.patients],
        artifact=first.artifact,
        data=first.data,
        threshold=first.threshold,
        numerics="; ".join(dict.fromkeys(evaluation.numerics for evaluation in known)),
        seen_patients=sum(evaluation.seen_patients for evaluation in known),
        seed=first.bootstrap_seed,
    )
    unknown = max(evaluation.seen_unknown for evaluation in known)
    return replace(
        whole,
        post_processing=first.post_processing,
        flips=first.flips,
        simulation=first.simulation,
        seen_unknown=unknown,
    )
