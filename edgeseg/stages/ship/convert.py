"""Convert shipped weights as they are: with the operating point and the activation ranges that ship beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeseg import artifacts
from edgeseg.backend import running_keras
from edgeseg.checkpoint import load_weights, read_checkpoint
from edgeseg.errors import CheckpointError
from edgeseg.jsonio import to_json
from edgeseg.specs import OperatingPoint, VariantSpec
from edgeseg.stages.calibrate import shipped_ranges
from edgeseg.stages.choose import CHOICE_FILE, read_choice
from edgeseg.stages.predict import checkpoint_contract
from edgeseg.targets import ConvertJob, get
from edgeseg.variants import build_model


def sources(spec: VariantSpec) -> dict[str, str]:
    """Return the digests of what golden vectors rest on, by which a test knows that they are stale.

    Raises:
        CheckpointError: when no weights ship for the variant.
    """
    weights = artifacts.weights_path(spec.slug)
    if not weights.is_file():
        raise CheckpointError(f"no trained weights ship for '{spec.slug}'; train and ship them first")
    digest = artifacts.sha256_file(weights)
    ranges = shipped_ranges(spec, digest)
    choice = weights.with_name(CHOICE_FILE)
    return {
        "weights_sha256": digest,
        "ranges_sha256": "" if ranges is None else artifacts.sha256_bytes(to_json(ranges).encode()),
        "choice_sha256": artifacts.sha256_file(choice) if choice.is_file() else "",
    }


def convert_shipped(name: str, spec: VariantSpec, folder: Path) -> Path:
    """Write the artifact of a target from the weights that ship, and return its path in `folder`.

    Raises:
        CheckpointError: when no weights ship for the variant, or no ranges where the target needs them.
        MissingExtraError: without the libraries of the `build` extra.
    """
    weights = artifacts.weights_path(spec.slug)
    digest = sources(spec)["weights_sha256"]
    checkpoint, choice, target = read_checkpoint(weights), weights.with_name(CHOICE_FILE), get(name)
    point = read_choice(choice, variant=spec.slug).chosen if choice.is_file() else OperatingPoint()
    ranges = shipped_ranges(spec, digest) if target.needs_calibration else None
    if target.needs_calibration and ranges is None:
        raise CheckpointError(f"no activation ranges ship for '{spec.slug}'; record them with: edgeseg calibrate")
    model: Any = build_model(spec, checkpoint.header.image, running_keras())
    load_weights(model, checkpoint, spec)
    contract = replace(
        point.applied(checkpoint_contract(checkpoint.header, name)),
        calibrated_on=None if ranges is None else ranges.data,
        calibration_hash=None if ranges is None else ranges.calibration_sha256,
    )
    path = folder / f"{name}{target.suffix}"
    target.convert(
        ConvertJob(model=model, contract=contract, ranges=None if ranges is None else ranges.activations), path
    )
    return path
