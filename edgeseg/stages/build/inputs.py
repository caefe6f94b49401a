"""What a build rests on: weights, the patients it is scored on, and the slices it is calibrated with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgeseg import artifacts, networks
from edgeseg.checkpoint import Checkpoint, check_weights, read_checkpoint
from edgeseg.data.cache import cached, folder_key
from edgeseg.data.open import open_dataset
from edgeseg.data.phantom import PhantomDataset
from edgeseg.data.phantom_channels import phantom_channels
from edgeseg.data.plane import seen_in
from edgeseg.data.volume import Dataset, volumes
from edgeseg.errors import CheckpointError, OptionError
from edgeseg.networks import Network
from edgeseg.place import keys_for
from edgeseg.results import GRAPH_REFERENCE, REFERENCE, CalibrationSet, Choice
from edgeseg.specs import (
    AXIAL,
    LGG,
    PROFILES,
    BuildSpec,
    Contract,
    ImageSpec,
    OperatingPoint,
    RegionLook,
    looked,
    require_some,
    seen_among,
)
from edgeseg.stages.build.point import choice_of, looks_of, own_point
from edgeseg.stages.calibrate import (
    RecordedRanges,
    calibration_patients,
    ranges_beside,
    shipped_phantom_set,
    shipped_ranges,
)
from edgeseg.stages.predict import check_drawn, name_patients, plain_point
from edgeseg.targets import TARGETS, Target, resolve
from edgeseg.targets.histograms import check_method

EVALUATION_START = 2000
"""Phantoms from this number on are for evaluation; training and calibration use lower numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildData:
    """Who a build scores; ids only. `content_key` changes when the data does, `slices` counts those of the patients."""

    name: str
    content_key: str
    evaluation_patients: tuple[str, ...]
    slices: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BuildInputs:
    """The opened inputs of a build.

    Where no patient of the data trained the weights, int8 takes `shipped_ranges`, which belong to these very weights;
    where there are none, it is calibrated on the phantoms of `shipped_calibration`. Ranges that quantization-aware
    training learned (`learned_ranges`) go before all of these. `trained` are the patients that training used, or of a
    network that somebody else trained those that are kept for calibration (`calibration_patients`); none where
    calibration has data of its own, `calibration_dataset`. Trust that was found at
    another point is left out with `own_point`, since that was asked for, or is of a fold that is built by itself; it is
    refused without.
    """

    dataset: Dataset
    content_key: str
    checkpoint: Checkpoint
    weights_sha256: str
    choice: Choice | None
    shipped_calibration: CalibrationSet
    shipped_ranges: RecordedRanges | None
    learned_ranges: RecordedRanges | None = None
    trained: tuple[str, ...] = ()
    calibration_dataset: Dataset | None = None
    looks: Mapping[str, RegionLook] = field(default_factory=dict)
    own_point: bool = False

    def dressed(self, contract: Contract) -> Contract:
        """Return a contract at the build's operating point, with the codes and colours that were given."""
        return looked(self.point.applied(contract), self.looks)

    @property
    def point(self) -> OperatingPoint:
        """Threshold, post-processing and passes: those of the choice, or the default."""
        return plain_point(self.checkpoint.header) if self.choice is None else self.choice.chosen

    @property
    def reference(self) -> str:
        """The target that every other one is compared with."""
        return GRAPH_REFERENCE if self.not_keras else REFERENCE

    @property
    def not_keras(self) -> str:
        """Why the network stays an ONNX graph; empty where it is a Keras network."""
        foreign = self.checkpoint.header.foreign
        return "" if foreign is None else foreign.not_keras

    @property
    def unseen(self) -> tuple[str, ...]:
        """The patients that training did not use, and that no calibration is to use."""
        trained_on = set(self.trained)
        return tuple(p for p in self.dataset.patients if p not in trained_on)


def open_inputs(spec: BuildSpec) -> BuildInputs:
    """Open data and weights, and refuse early what cannot work.

    Raises:
        CheckpointError: when there are no weights for the variant, or they belong to another.
        DatasetError: when the data folder is of no known layout, or the installation lacks its calibration set.
        SeenPatientError: when nobody is left to score and `allow_seen` is off.
        ArtifactError: when the network stays an ONNX graph, and none of the targets can be made of one.
        OptionError: when calibration slices are asked for and there are none to choose from, when the choice of an
            operating point cannot be read or was made for another variant, or when a network of several masks, or of
            another plane than the axial one, is to be scored on phantoms.
    """
    _check_profile(spec)
    checkpoint = _checkpoint(spec)
    dataset, key = _scored_on(spec, checkpoint.header.image)
    weights = artifacts.sha256_file(checkpoint.path)
    inputs = BuildInputs(
        dataset=dataset,
        content_key=key,
        checkpoint=name_patients(checkpoint, dataset.patients),
        weights_sha256=weights,
        choice=choice_of(spec, checkpoint, weights),
        looks=looks_of(spec, checkpoint),
        own_point=own_point(spec, checkpoint),
        shipped_calibration=shipped_phantom_set(),
        shipped_ranges=shipped_ranges(checkpoint.header.variant, weights),
        learned_ranges=ranges_beside(checkpoint.path),
        trained=_calibrating(spec, checkpoint, dataset),
        calibration_dataset=None
        if spec.calibration_data is None
        else seen_in(open_data(spec, spec.calibration_data), checkpoint.header.image.plane),
    )
    _check_calibration(spec, inputs)
    require_some(
        inputs.dataset.patients if spec.allow_seen else inputs.unseen,
        otherwise=_nobody_left(spec, inputs),
    )
    return inputs


def _scored_on(spec: BuildSpec, image: ImageSpec) -> tuple[Dataset, str]:
    """Open what the build is scored on, the data set or phantoms, and say what identifies its content."""
    if spec.data is not None:
        key = folder_key(spec.data, layout=spec.layout, labels=spec.labels)
        return seen_in(open_data(spec, spec.data), image.plane), key
    if image.classes:
        raise OptionError(
            f"the network draws {len(image.classes)} masks ({', '.join(image.classes)}), and phantoms have one to "
            "score on; give data with its classes with --data"
        )
    if image.plane != AXIAL:
        raise OptionError(
            f"the network takes {image.plane} slices, and phantoms are axial ones; give volumes to score on with --data"
        )
    channels = phantom_channels(image.channels)
    phantoms = PhantomDataset(spec.phantom_patients, seed=spec.seed, start=EVALUATION_START, channels=channels)
    key = _phantom_key(spec, channels.names)
    return cached(phantoms, key), key


def open_data(spec: BuildSpec, path: Path) -> Dataset:
    """Open a data set of a build, in the layout and with the labels that it names.

    Raises:
        DatasetError: when the folder is of no known layout.
    """
    return open_dataset(path, layout=spec.layout, labels=spec.labels)


def _calibrating(spec: BuildSpec, checkpoint: Checkpoint, dataset: Dataset) -> tuple[str, ...]:
    header = checkpoint.header
    if spec.calibration_data is not None and header.foreign is not None and not header.train_patients:
        entries = header.foreign.contract.seen_patients
        return tuple(seen_among(dataset.patients, entries, keys_for(entries)))
    return calibration_patients(checkpoint, dataset, seed=spec.seed)


def _nobody_left(spec: BuildSpec, inputs: BuildInputs) -> str:
    count = len(inputs.dataset.patients)
    if inputs.checkpoint.header.foreign is not None:
        return (
            f"{spec.data} holds {count} patient(s), who are kept for calibration, and nobody is left to score; give "
            "more patients with --data, others to calibrate on with --calibration-data, or --allow-seen to score them "
            "all the same"
        )
    return (
        f"all {count} patients of {spec.data} trained these weights; a score on them says nothing. Give other patients "
        "with --data, other weights with --from, or --allow-seen to score them all the same"
    )


def resolve_data(spec: BuildSpec, inputs: BuildInputs) -> BuildData:
    """Decide who is scored, everyone whom training did not use or all with `allow_seen`, and read each of them once.

    Raises:
        ImageError: when a slice is damaged: better now than after the conversions.
        MaskError: when a mask is missing or damaged, or of another class than the network draws.
    """
    dataset, drawn = inputs.dataset, inputs.checkpoint.header.image.classes
    scored = dataset.patients if spec.allow_seen else inputs.unseen
    slices = 0
    for volume in volumes(dataset, scored):
        check_drawn(drawn, volume)
        slices += len(volume.reference)
    return BuildData(name=dataset.name, content_key=inputs.content_key, evaluation_patients=scored, slices=slices)


def _check_profile(spec: BuildSpec) -> None:
    """Refuse a profile that would change none of the targets asked for."""
    if spec.profile == PROFILES[0] or any(spec.profile in t.profiles for t in resolve(spec.targets)):
        return
    there = ", ".join(target.name for target in TARGETS.values() if spec.profile in target.profiles)
    raise OptionError(
        f"profile is {spec.profile}, which changes none of the targets asked for ({', '.join(spec.targets)}); it is "
        f"there for: {there}. Leave it out, or add one of these"
    )


def targets_of(spec: BuildSpec, inputs: BuildInputs) -> tuple[Target, ...]:
    """Return what is built, the target first that every other one is compared with."""
    asked = resolve((inputs.reference, *spec.targets))
    return (TARGETS[inputs.reference], *(target for target in asked if target.name != inputs.reference))


def _check_calibration(spec: BuildSpec, inputs: BuildInputs) -> None:
    """Refuse a number of calibration slices, or a method, that would have no effect."""
    if spec.calibration_method is not None:
        check_method(spec.calibration_method)
        if inputs.learned_ranges is not None:
            raise OptionError(
                f"calibration-method is {spec.calibration_method}, and these weights bring the ranges that training "
                "learned; leave the option out"
            )
    options = {"calibration-slices": spec.calibration_slices, "calibration-method": spec.calibration_method}
    given = [(name, value) for name, value in options.items() if value is not None]
    if not given or inputs.trained or inputs.calibration_dataset is not None:
        return
    name, value = given[0]
    if not any(target.needs_calibration for target in resolve(spec.targets)):
        raise OptionError(f"{name} is {value}, and no int8 target is asked for; leave it out")
    where = "no data is given" if spec.data is None else f"none of the patients in {spec.data} trained these weights"
    there = inputs.shipped_ranges
    taken = "the shipped phantom set" if there is None else f"the shipped calibration ({there.describe()})"
    raise OptionError(
        f"{name} is {value}, and {where}, so {taken} would be taken as it is; "
        "leave the option out, or give --data with training patients"
    )


def _checkpoint(spec: BuildSpec) -> Checkpoint:
    variant = spec.variant
    if spec.checkpoint is not None:
        checkpoint = read_checkpoint(spec.checkpoint)
        check_weights(checkpoint, variant)
        return checkpoint
    if (network := _shipped(spec)) is None:
        raise CheckpointError(
            f"no trained weights ship for '{variant.slug}' (there are: {', '.join(networks.names()) or 'none'}); "
            f"train it with 'edgeseg train --variant {variant.name} --alpha {variant.alpha:g} --stem {variant.stem}' "
            "and give the run with --from"
        )
    return read_checkpoint(network.weights)


def _shipped(spec: BuildSpec) -> Network | None:
    """Return the network whose weights are taken where none are given."""
    return networks.get(spec.network) if spec.network else networks.of_variant(spec.variant)


def with_name(spec: BuildSpec) -> BuildSpec:
    """Return a build's spec with the name of the network, where the weights that it takes have one."""
    if spec.network:
        return spec
    if spec.checkpoint is None:
        network = networks.of_variant(spec.variant)
        return spec if network is None else replace(spec, network=network.name)
    checkpoint = read_checkpoint(spec.checkpoint)
    network = networks.of_weights(artifacts.sha256_file(checkpoint.path))
    return replace(spec, network=checkpoint.header.name if network is None else network.name)


def _phantom_key(spec: BuildSpec, channels: tuple[str, ...]) -> str:
    """A key that changes with the phantoms asked for and with the code that draws them."""
    drawn = "" if channels == LGG.names else f"-{artifacts.sha256_bytes(','.join(channels).encode())[:8]}"
    return f"phantom-{spec.seed}-{EVALUATION_START}-{spec.phantom_patients}{drawn}-{artifacts.source_digest('data')}"
