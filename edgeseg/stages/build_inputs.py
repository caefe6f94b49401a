"""What a build rests on: weights, the patients it is scored on, and the slices it is calibrated with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeseg import artifacts
from edgeseg.checkpoint import Checkpoint, check_weights, read_checkpoint
from edgeseg.data.cache import cached, folder_key
from edgeseg.data.open import open_dataset
from edgeseg.data.phantom import PhantomDataset
from edgeseg.data.volume import Dataset, volumes
from edgeseg.errors import CheckpointError, SeenPatientError
from edgeseg.specs import BuildSpec, VariantSpec
from edgeseg.stages import calibrate

EVALUATION_START = 2000
"""Phantoms from this number on are for evaluation; training and calibration use lower numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildData:
    """Who a build scores; ids only. `content_key` changes when the data does, `slices` counts those of the patients."""

    name: str
    content_key: str
    evaluation_patients: tuple[str, ...]
    slices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """What is done to the weights before conversion.

    `calibration` is the set that post-training int8 takes its ranges from, None where no int8 target is asked for.
    """

    calibration: calibrate.CalibrationSet | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BuildInputs:
    """The opened inputs of a build.

    `shipped_calibration` is the set that is taken where no patient of the data trained the weights.
    """

    dataset: Dataset
    content_key: str
    checkpoint: Checkpoint
    weights_sha256: str
    shipped_calibration: calibrate.CalibrationSet

    @property
    def unseen(self) -> tuple[str, ...]:
        """The patients that training did not use."""
        trained_on = set(self.checkpoint.header.train_patients)
        return tuple(p for p in self.dataset.patients if p not in trained_on)


def open_inputs(spec: BuildSpec) -> BuildInputs:
    """Open data and weights, and refuse early what cannot work.

    Raises:
        CheckpointError: when there are no weights for the variant, or they belong to another.
        DatasetError: when the data folder is of no known layout, or the installation lacks its calibration set.
        SeenPatientError: when nobody is left to score and `allow_seen` is off.
    """
    checkpoint = _checkpoint(spec.variant, spec.checkpoint)
    if spec.data is None:
        key = _phantom_key(spec)
        dataset: Dataset = PhantomDataset(spec.phantom_patients, seed=spec.seed, start=EVALUATION_START)
        dataset = cached(dataset, key)
    else:
        dataset, key = open_dataset(spec.data), folder_key(spec.data)
    inputs = BuildInputs(
        dataset=dataset,
        content_key=key,
        checkpoint=checkpoint,
        weights_sha256=artifacts.sha256_file(checkpoint.path),
        shipped_calibration=calibrate.shipped_phantom_set(),
    )
    if not inputs.unseen and not spec.allow_seen:
        raise SeenPatientError(
            f"all {len(dataset.patients)} patients of {spec.data} trained these weights; a score on them says nothing. "
            "Give other patients with --data, other weights with --from, or --allow-seen to score them all the same"
        )
    return inputs


def resolve_data(spec: BuildSpec, inputs: BuildInputs) -> BuildData:
    """Decide who is scored, everyone whom training did not use or all with `allow_seen`, and read each of them once.

    Raises:
        ImageError: when a slice is damaged: better now than after the conversions.
        MaskError: when a mask is missing or damaged.
    """
    dataset = inputs.dataset
    scored = dataset.patients if spec.allow_seen else inputs.unseen
    slices = sum(len(volume.reference) for volume in volumes(dataset, scored))
    return BuildData(name=dataset.name, content_key=inputs.content_key, evaluation_patients=scored, slices=slices)


def resolve_compression(spec: BuildSpec, inputs: BuildInputs, *, int8: bool) -> Compression:
    """Choose the slices that int8 ranges are measured on.

    They come from patients that training used, where the data folder holds any, else from the shipped phantom set.
    """
    if not int8:
        return Compression(calibration=None)
    dataset, trained_on = inputs.dataset, set(inputs.checkpoint.header.train_patients)
    if known := tuple(p for p in dataset.patients if p in trained_on):
        manifest = calibrate.choose(dataset, known, slices=spec.calibration_slices, seed=spec.seed)
    else:
        manifest = inputs.shipped_calibration
    calibrate.check_disjoint(manifest, inputs.unseen)
    return Compression(calibration=manifest)


def shipped_slugs() -> tuple[str, ...]:
    """The variants whose weights ship."""
    return tuple(sorted(p.parent.name for p in artifacts.shipped("models").glob("*/weights.safetensors")))


def _checkpoint(variant: VariantSpec, path: Path | None) -> Checkpoint:
    if path is not None:
        checkpoint = read_checkpoint(path)
        check_weights(checkpoint, variant)
        return checkpoint
    place = artifacts.weights_path(variant.slug)
    if not place.is_file():
        raise CheckpointError(
            f"no trained weights ship for '{variant.slug}' (there are: {', '.join(shipped_slugs()) or 'none'}); "
            f"train it with 'edgeseg train --variant {variant.name} --alpha {variant.alpha:g} --stem {variant.stem}' "
            "and give the run with --from"
        )
    return read_checkpoint(place)


def _phantom_key(spec: BuildSpec) -> str:
    """A key that changes with the phantoms asked for and with the code that draws them."""
    return f"phantom-{spec.seed}-{EVALUATION_START}-{spec.phantom_patients}-{artifacts.source_digest('data')}"
