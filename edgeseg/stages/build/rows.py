"""What a build says about one artifact, put together from its stages."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path

from edgeseg import artifacts
from edgeseg.results import (
    CELL_FAILED,
    GOOD_STATUS,
    PARITY_FAILED,
    REFERENCE,
    ArtifactRow,
    BuildResult,
    Census,
    EvalResult,
    LatencyResult,
    ParityResult,
)
from edgeseg.specs import BuildSpec
from edgeseg.stages.score import dice_delta
from edgeseg.targets import Target
from edgeseg.variants.tiers import tier_of


def artifact_rows(
    spec: BuildSpec,
    targets: Iterable[Target],
    paths: Mapping[str, Path],
    *,
    counted: Census,
    parities: Mapping[str, ParityResult],
    scores: Mapping[str, EvalResult],
    latencies: Mapping[str, LatencyResult],
    failed: Mapping[str, str],
) -> tuple[ArtifactRow, ...]:
    """Sum up every artifact of one variant from what its stages found, by target; see `artifact_row`."""
    return tuple(
        artifact_row(
            spec,
            target,
            paths.get(target.name),
            counted=counted,
            parity=parities.get(target.name),
            evaluation=scores.get(target.name),
            reference=scores[REFERENCE],
            latency=latencies.get(target.name),
            failure=failed.get(target.name),
        )
        for target in targets
    )


def artifact_row(
    spec: BuildSpec,
    target: Target,
    path: Path | None,
    *,
    counted: Census,
    parity: ParityResult | None,
    evaluation: EvalResult | None,
    reference: EvalResult,
    latency: LatencyResult | None,
    failure: str | None = None,
) -> ArtifactRow:
    """Sum one artifact up.

    Args:
        spec: of the build.
        target: the artifact's format.
        path: the artifact, under `spec.out`; None where it could not be made.
        counted: of the network.
        parity: against the reference; None for the reference itself.
        evaluation: of the artifact, None where it failed before.
        reference: evaluation of the reference, on the same patients.
        latency: of the artifact, None where it failed before.
        failure: the status of an artifact that failed.
    """
    content = b"" if path is None else path.read_bytes()
    status = GOOD_STATUS if parity is None or parity.passed else PARITY_FAILED
    own = target.name == REFERENCE
    return ArtifactRow(
        artifact=target.name,
        variant=spec.variant.slug,
        tier=tier_of(spec.variant, target.precision),
        target=target.name,
        path="" if path is None else str(path.relative_to(spec.out)),
        sha256="" if path is None else artifacts.sha256_bytes(content),
        size_bytes=len(content),
        gzip_size_bytes=0 if path is None else len(gzip.compress(content, 9, mtime=0)),
        parameters=counted.parameters,
        macs=counted.macs,
        parity=parity,
        evaluation=evaluation,
        latency=latency,
        dice_delta_to_float=None if own or evaluation is None else dice_delta(evaluation, reference, seed=spec.seed),
        status=failure or status,
    )


def failures(result: BuildResult) -> list[str]:
    """One sentence for each artifact that failed: at which step and why, or its parity check with the worst slice."""
    several = len({row.variant for row in result.artifacts}) > 1
    names = {id(row): f"{row.variant} {row.artifact}" if several else row.artifact for row in result.artifacts}
    broken = [
        f"{names[id(row)]} {row.status.removeprefix(f'{CELL_FAILED}: ')}"
        for row in result.artifacts
        if row.status.startswith(CELL_FAILED)
    ]
    return broken + [
        f"{names[id(row)]} flips {p.flips_ppm:.0f} ppm of the mask pixels against {p.reference}, {p.max_flip_ppm:g} "
        f"are allowed; worst in {p.worst_slice} ({p.worst_slice_flipped_pixels} pixels)"
        for row in result.artifacts
        if (p := row.parity) is not None and not p.passed
    ]
