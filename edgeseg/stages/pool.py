"""The builds of a cross-validation's folds as one: every patient scored by the artifact that never saw them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from edgeseg import artifacts
from edgeseg.errors import DatasetError
from edgeseg.results import ArtifactRow, BuildResult, EvalResult, ParityResult
from edgeseg.stages.build_rows import REFERENCE
from edgeseg.stages.evaluate import dice_delta, result_of
from edgeseg.stages.matrix import merged
from edgeseg.stages.report import GOOD_STATUS

_PRUNED = re.compile(r"-w[0-9a-f]{6}$")


def pooled(builds: Sequence[BuildResult]) -> BuildResult:
    """Bring the builds of the folds of one training together.

    A row's size, parameters and multiply-accumulates are the largest of its folds', its latency is that of the first,
    and its status the first that is not good. Folds whose channels were removed differ in their widths; their common
    name ends in `-w*`.

    Raises:
        DatasetError: when a patient was scored in two of them.
    """
    _check_disjoint(builds)
    rows: list[ArtifactRow] = []
    reference: EvalResult | None = None
    for of_target in zip(*(build.artifacts for build in builds), strict=True):
        row = _row(of_target)
        if row.target == REFERENCE:
            reference = row.evaluation
        elif row.evaluation is not None and reference is not None:
            row = replace(row, dice_delta_to_float=dice_delta(row.evaluation, reference, seed=builds[0].seed))
        rows.append(row)
    names = ", ".join(dict.fromkeys(row.variant for row in rows))
    fewest, most = (few_or_many(build.training_patients for build in builds) for few_or_many in (min, max))
    each = f"{most}" if fewest == most else f"{fewest} to {most}"
    return replace(
        merged(builds),
        weights=f"{len(builds)} folds of {names}, each trained on {each} patients",
        baseline=builds[0].baseline,
        r2=builds[0].r2,
        artifacts=tuple(rows),
        budgets=tuple(found for build in builds for found in build.budgets),
        stages=(),
        folds=len(builds),
    )


def _check_disjoint(builds: Sequence[BuildResult]) -> None:
    met: dict[str, int] = {}
    for number, build in enumerate(builds):
        for patient in {s.patient for row in build.artifacts if row.evaluation for s in row.evaluation.patients}:
            if patient in met:
                raise DatasetError(
                    f"{patient} was scored in fold {met[patient]} and in fold {number}; a patient is scored once, by "
                    "the fold that held them out, so give the data that the folds were trained on"
                )
            met[patient] = number


def _row(rows: Sequence[ArtifactRow]) -> ArtifactRow:
    first = rows[0]
    variants = {row.variant for row in rows}
    return replace(
        first,
        variant=first.variant if len(variants) == 1 else f"{_PRUNED.sub('', first.variant)}-w*",
        path="",
        sha256=artifacts.sha256_bytes("".join(row.sha256 for row in rows).encode()),
        size_bytes=max(row.size_bytes for row in rows),
        gzip_size_bytes=max(row.gzip_size_bytes for row in rows),
        parameters=max(row.parameters for row in rows),
        macs=max(row.macs for row in rows),
        parity=_parity([row.parity for row in rows if row.parity is not None]),
        evaluation=_evaluation([row.evaluation for row in rows]),
        dice_delta_to_float=None,
        status=next((row.status for row in rows if row.status != GOOD_STATUS), GOOD_STATUS),
    )


def _parity(found: Sequence[ParityResult]) -> ParityResult | None:
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
        passed=all(parity.passed for parity in found),
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
    return replace(whole, post_processing=first.post_processing, flips=first.flips, simulation=first.simulation)
