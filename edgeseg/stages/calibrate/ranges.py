"""Activation ranges with their provenance: recorded from the slices of training patients, shipped, and taken over.

`edgeseg build` on a clone without the data finds `calibration/ranges/<name>.json` and gives the int8 file that the
slices themselves would give, byte for byte. Ranges belong to one weights file and count for no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts, networks
from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.data.volume import Dataset
from edgeseg.errors import CheckpointError, OptionError
from edgeseg.jsonio import JsonFormatError, from_json, read_document, to_json
from edgeseg.place import key_for
from edgeseg.progress import Progress
from edgeseg.regular import stands
from edgeseg.results import CalibrationSet
from edgeseg.specs import VariantSpec, require_some, seen_entries
from edgeseg.stages.calibrate.lot import calibration_patients
from edgeseg.stages.calibrate.manifest import network_inputs, write_calibration
from edgeseg.stages.calibrate.slices import choose_slices
from edgeseg.stages.environment import versions
from edgeseg.stages.predict import checkpoint_contract, network_of
from edgeseg.targets.histograms import MIN_MAX, check_method
from edgeseg.targets.ranges import RECORD_AGAIN, ActivationRanges, measure

RANGES_SCHEMA_VERSION = 1
CALIBRATION, SETS, RANGES = "calibration", "sets", "ranges"
"""The folder of recorded ranges, and two in it that each hold one file per network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRanges:
    """The activation ranges of one weights file, and the slices that they come from.

    `data`, `calibration_sha256` and `slices` are those of the calibration set; `patients` holds what
    `seen_entries` makes of its patients.
    """

    variant: str
    weights_sha256: str
    data: str
    calibration_sha256: str
    slices: int
    patients: tuple[str, ...]
    activations: ActivationRanges
    versions: dict[str, str] = field(default_factory=dict)
    schema_version: int = RANGES_SCHEMA_VERSION

    def __post_init__(self) -> None:
        """Refuse ranges of another schema version."""
        if self.schema_version != RANGES_SCHEMA_VERSION:
            raise OptionError(
                f"the ranges have schema version {self.schema_version} and this edgeseg reads {RANGES_SCHEMA_VERSION}"
            )

    def describe(self) -> str:
        """Say in a few words where the ranges come from."""
        return f"{self.activations.method} over {self.slices} slices of {len(self.patients)} patients of {self.data}"


def record_ranges(
    checkpoint: Checkpoint,
    manifest: CalibrationSet,
    dataset: Dataset,
    *,
    method: str = MIN_MAX,
    model: Any = None,
    progress: Progress | None = None,
) -> RecordedRanges:
    """Measure the activation ranges of weights over a calibration set.

    Args:
        checkpoint: the weights.
        manifest: which slices; read one patient at a time.
        dataset: where they are.
        method: how a range follows from the values, one of `edgeseg.targets.histograms.METHODS`.
        model: the network with these weights, where the caller has it already.
        progress: called after each slice.

    Raises:
        CheckpointError: when the checkpoint does not hold the weights of its variant.
        DatasetError: when a slice is missing or is not the one that was chosen.
        ArtifactError: when the network gives NaN or infinity.
    """
    header = checkpoint.header
    network = network_of(checkpoint) if model is None else model
    contract = checkpoint_contract(header)

    def slices() -> Iterator[NDArray[np.float32]]:
        for done, image in enumerate(network_inputs(manifest, dataset, contract), 1):
            yield image
            if progress is not None:
                progress(done, len(manifest.slices), manifest.slices[done - 1].patient)

    return RecordedRanges(
        variant=header.variant.slug,
        weights_sha256=artifacts.sha256_file(checkpoint.path),
        data=manifest.data,
        calibration_sha256=manifest.sha256,
        slices=len(manifest.slices),
        patients=seen_entries(manifest.patients, key=key_for(manifest.patients)),
        activations=measure(network, slices(), method=method, contract=contract),
        versions=versions(),
    )


def choose_and_record(
    checkpoint: Checkpoint,
    dataset: Dataset,
    *,
    slices: int | None,
    seed: int,
    method: str = MIN_MAX,
    among: tuple[str, ...] | None = None,
    progress: Progress | None = None,
) -> tuple[CalibrationSet, RecordedRanges]:
    """Choose slices of patients that trained the weights, and measure the ranges over them.

    Args:
        checkpoint: the weights.
        dataset: where the slices are.
        slices: how many to choose; None for the usual number, or all where there are fewer.
        seed: of the choice.
        method: how a range follows from the values, one of `edgeseg.targets.histograms.METHODS`.
        among: choose only among these patients, such as the training patients of a fold; all unless given.
        progress: called after each patient that is looked at, and then after each slice.

    Raises:
        SeenPatientError: when no patient of the data set may be chosen.
        OptionError: when they do not hold that many slices, or the method is unknown.
        CheckpointError: when the checkpoint does not hold the weights of its variant.
        ArtifactError: when the network gives NaN or infinity.
    """
    check_method(method)
    model = network_of(checkpoint)
    patients = training_patients(checkpoint, dataset, among, seed=seed)
    manifest = choose_slices(dataset, patients, slices=slices, seed=seed, progress=progress)
    return manifest, record_ranges(checkpoint, manifest, dataset, method=method, model=model, progress=progress)


def ranges_or_measured(
    checkpoint: Checkpoint, dataset: Dataset, *, slices: int | None, seed: int, progress: Progress | None = None
) -> tuple[Any, RecordedRanges]:
    """Return the network of weights with the ranges that ship for them, or else ranges measured on training patients.

    Raises:
        EdgeSegError: as `choose_and_record`.
    """
    model = network_of(checkpoint)
    found = shipped_ranges(checkpoint.header.variant, artifacts.sha256_file(checkpoint.path))
    if found is None:
        patients = training_patients(checkpoint, dataset, None, seed=seed)
        manifest = choose_slices(dataset, patients, slices=slices, seed=seed, progress=progress)
        found = record_ranges(checkpoint, manifest, dataset, model=model, progress=progress)
    return model, found


def training_patients(
    checkpoint: Checkpoint, dataset: Dataset, among: tuple[str, ...] | None, *, seed: int
) -> tuple[str, ...]:
    """Return the patients of a data set, of `among` where given, that `calibration_patients` allows.

    Raises:
        SeenPatientError: when there is none.
    """
    known = set(calibration_patients(checkpoint, dataset, seed=seed))
    if among is not None:
        known &= set(among)
    return require_some(
        [patient for patient in dataset.patients if patient in known],
        otherwise=f"none of the {len(dataset.patients)} patients of {dataset.name} that may be chosen trained "
        f"{checkpoint.path}; ranges come from training patients, so that all others can be scored. "
        "Give the data and the fold that these weights were trained on",
    )


def write_recorded(
    recorded: RecordedRanges, manifest: CalibrationSet, into: Path, *, name: str = ""
) -> tuple[Path, Path]:
    """Write `sets/<name>.json` and `ranges/<name>.json` under a folder, both or neither; the slug unless given.

    Raises:
        OutputError: when the place cannot be written.
    """
    name = f"{name or recorded.variant}.json"
    with artifacts.staged_tree(into) as temporary:
        write_calibration(manifest, temporary / SETS / name)
        artifacts.write_text(temporary / RANGES / name, to_json(recorded) + "\n")
    return into / SETS / name, into / RANGES / name


def read_ranges(path: Path) -> RecordedRanges:
    """Read recorded ranges.

    Raises:
        CheckpointError: when the file is missing, or holds no ranges of this version.
    """
    try:
        return from_json(RecordedRanges, read_document(path))
    except OSError as error:
        raise CheckpointError(f"{path}: the ranges cannot be read ({error.strerror}); {RECORD_AGAIN}") from error
    except (JsonFormatError, OptionError) as error:
        raise CheckpointError(f"{path}: not activation ranges ({error}); {RECORD_AGAIN}") from error


def shipped_ranges(variant: VariantSpec, weights_sha256: str) -> RecordedRanges | None:
    """Return the recorded ranges of these very weights, or None where there are none.

    They are looked for where `edgeseg.artifacts.homes` are, under the names of networks of this shape and its slug.

    Raises:
        CheckpointError: when a file that could hold them is damaged.
    """
    known = [one.name for one in networks.every() if one.record.spec == variant]
    for home in artifacts.homes():
        for name in (*known, variant.slug):
            path = home / CALIBRATION / RANGES / f"{name}.json"
            recorded = read_ranges(path) if stands(path) else None
            if recorded is not None and (recorded.variant, recorded.weights_sha256) == (variant.slug, weights_sha256):
                return recorded
    return None


def ranges_name(checkpoint: Checkpoint) -> str:
    """Return what the files of weights are called: the name of their network, or its slug where it has none."""
    network = networks.of_weights(artifacts.sha256_file(checkpoint.path))
    return checkpoint.header.variant.slug if network is None else network.name


def ranges_are_stale(folder: Path) -> bool:
    """Say whether the ranges of a network, `models/<name>`, are missing or belong to other weights."""
    checkpoint = read_checkpoint(folder)
    return shipped_ranges(checkpoint.header.variant, artifacts.sha256_file(checkpoint.path)) is None
