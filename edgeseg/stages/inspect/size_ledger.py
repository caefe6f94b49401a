"""Where the bytes of an artifact went: Adam's state, float weights, width, removed channels, precision, container."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeseg.errors import ArtifactError
from edgeseg.imaging import given_channels
from edgeseg.place import scratch
from edgeseg.results import ArtifactRow, BaselineResult, BuildResult, Inspection, SizeLedger, SizeStep
from edgeseg.specs import ImageSpec, VariantSpec
from edgeseg.stages.bench import run_alone
from edgeseg.stages.inspect.inspect import inspect
from edgeseg.workers.solo import SoloJob

FLOAT_BYTES = 4
_FILE, _COUNT, _TENSORS = "the size of the file", "parameters x 4 bytes", "the constants in the file, counted"


def size_ledger(build: BuildResult, row: ArtifactRow, folder: Path) -> SizeLedger | None:
    """Follow the bytes from the file that everything starts from down to one artifact of a build.

    Args:
        build: the `build.json` of `folder`.
        row: the artifact; one that failed has no ledger.
        folder: where the artifacts are.

    Returns:
        The ledger; None without a baseline, or for an artifact that could not be made or whose format does not tell
        its constants.

    Raises:
        ArtifactError: when the file is no longer there, or damaged.
        MissingExtraError: when what reads its format is not installed.
    """
    if build.baseline is None or not row.path:
        return None
    path = folder / row.path
    if not path.is_file():
        raise ArtifactError(f"{path} is missing, so its bytes cannot be told; build it again")
    found = inspect(path)
    tensors = sum(weights.size_bytes for weights in found.graph.weights)
    if not tensors:
        return None
    return SizeLedger(
        artifact=row.target,
        variant=row.variant,
        steps=_steps(build.baseline, row, found, tensors),
        tensor_bytes=tensors,
        container_bytes=row.size_bytes - tensors,
        gzip_size_bytes=row.gzip_size_bytes,
        peak_rss_bytes=_peak_rss_bytes(path, found),
    )


def _peak_rss_bytes(path: Path, found: Inspection) -> int | None:
    """Run the file alone on one black slice, which takes as much memory as any other."""
    image = found.contract.image if found.contract is not None else ImageSpec()
    channels = given_channels(found.contract) if found.contract is not None else image.channels
    with scratch() as folder:
        slices = folder / "slice.npy"
        np.save(slices, np.zeros((1, image.height, image.width, len(channels)), np.uint8), allow_pickle=False)
        return run_alone(SoloJob(model=str(path), threads=1, slices=str(slices))).peak_rss_bytes


def _steps(base: BaselineResult, row: ArtifactRow, found: Inspection, tensors: int) -> tuple[SizeStep, ...]:
    whole = 0 if found.contract is None else _whole_parameters(found.contract.variant)
    widths = [SizeStep(name=f"width: {row.variant}", size_bytes=FLOAT_BYTES * row.parameters, how=_COUNT)]
    if whole:
        name = f"width: {row.variant.rpartition('-w')[0]}"
        widths = [
            SizeStep(name=name, size_bytes=FLOAT_BYTES * whole, how=_COUNT),
            replace(widths[0], name="channels removed"),
        ]
    return (
        SizeStep(name=base.title, size_bytes=base.size_bytes, how=_FILE),
        SizeStep(name="its float weights", size_bytes=base.weights_size_bytes, how=_COUNT if base.given else _FILE),
        *widths,
        SizeStep(name=f"weights as {row.target.rpartition('-')[2]}", size_bytes=tensors, how=_TENSORS),
        SizeStep(name="the file", size_bytes=row.size_bytes, how=_FILE),
    )


def _whole_parameters(variant: VariantSpec) -> int:
    """The parameters that a network had before channels were removed; 0 where none were."""
    if not variant.widths:
        return 0
    from edgeseg.variants import build_model, census

    return census(build_model(replace(variant, widths=()))).parameters
