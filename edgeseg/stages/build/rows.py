"""What a build says about one artifact, put together from its stages."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

from edgeseg import artifacts
from edgeseg.results import (
    CELL_FAILED,
    GOOD_STATUS,
    PARITY_FAILED,
    ArtifactRow,
    BuildResult,
    Census,
    EvalResult,
    Interval,
)
from edgeseg.runtime.contract import read_contract
from edgeseg.specs import BuildSpec
from edgeseg.stages.build.cells import Cell
from edgeseg.stages.score import dice_delta
from edgeseg.targets import TARGETS
from edgeseg.variants.tiers import tier_of


def artifact_rows(spec: BuildSpec, cells: Sequence[Cell], counted: Census) -> tuple[ArtifactRow, ...]:
    """Sum up every artifact of one variant; the first is the reference, and `counted` is of the network."""
    reference = cells[0].evaluation
    assert reference is not None
    others = [None, *(reference for _ in cells[1:])]
    return tuple(_artifact_row(spec, cell, counted, before) for cell, before in zip(cells, others, strict=True))


def _artifact_row(spec: BuildSpec, cell: Cell, counted: Census, reference: EvalResult | None) -> ArtifactRow:
    content = b"" if cell.path is None else cell.path.read_bytes()
    status = GOOD_STATUS if cell.parity is None or cell.parity.passed else PARITY_FAILED
    return ArtifactRow(
        artifact=cell.name,
        variant=spec.variant.slug,
        tier=tier_of(spec.variant, cell.target.precision),
        target=cell.name,
        path="" if cell.path is None else str(cell.path.relative_to(spec.out)),
        sha256="" if cell.path is None else artifacts.sha256_bytes(content),
        size_bytes=len(content),
        gzip_size_bytes=0 if cell.path is None else len(gzip.compress(content, 9, mtime=0)),
        parameters=counted.parameters,
        macs=counted.macs,
        parity=cell.parity,
        evaluation=cell.evaluation,
        latency=cell.latency,
        dice_delta_to_float=_delta(cell, reference, spec.seed),
        status=cell.failure or status,
        float_layers=_float_layers(cell),
        network=spec.network,
    )


def _delta(cell: Cell, reference: EvalResult | None, seed: int) -> Interval | None:
    if reference is None or cell.evaluation is None:
        return None
    return dice_delta(cell.evaluation, reference, seed=seed)


def _float_layers(cell: Cell) -> tuple[str, ...]:
    """Read from an int8 artifact which layers it computes in float."""
    if cell.path is None or cell.failure is not None or cell.target.precision != "int8":
        return ()
    return read_contract(cell.path).float_layers


def failures(result: BuildResult) -> list[str]:
    """One sentence for each artifact that failed: at which step and why, or its parity check with the worst slice."""
    several = len({row.variant for row in result.artifacts}) > 1
    names = {id(row): f"{row.label} {row.artifact}" if several else row.artifact for row in result.artifacts}
    broken = [
        f"{names[id(row)]} {row.status.removeprefix(f'{CELL_FAILED}: ')}"
        for row in result.artifacts
        if row.status.startswith(CELL_FAILED)
    ]
    return broken + [
        f"{names[id(row)]} flips {p.flips_ppm:.0f} ppm of the mask pixels against {p.reference}, {p.max_flip_ppm:g} "
        f"are allowed; worst in {p.worst_slice} ({p.worst_slice_flipped_pixels} pixels){_remedy(row)}"
        for row in result.artifacts
        if (p := row.parity) is not None and not p.passed
    ]


def _remedy(row: ArtifactRow) -> str:
    """Say what to do about an integer artifact that flips too many pixels; nothing of one that computes in float.

    Layers in float help little where it is the values between layers that are rounded: of a network with instance
    normalisation and leaky ReLU, float kernels throughout left most of the flips, and float values next to none.
    """
    target = TARGETS[row.target]
    if target.precision.startswith("fp"):
        return ""
    kind = target.name.partition("-")[0]
    floating = next(name for name in (f"{kind}-fp16", f"{kind}-fp32") if name in TARGETS)
    other = "; --calibration-method mse may flip fewer" if target.needs_calibration else ""
    return f". Take {floating}, which keeps the values between layers in float{other}"
