"""The ranges that the int8 files of a build take, and what each file says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from edgeseg.data.volume import Dataset
from edgeseg.place import key_for, keys_for
from edgeseg.results import CalibrationSet
from edgeseg.specs import Contract, refuse_calibrated, renewed
from edgeseg.stages.build.inputs import BuildInputs
from edgeseg.stages.calibrate import RecordedRanges, choose_slices, phantom_calibration_data, record_ranges
from edgeseg.stages.predict import checkpoint_contract
from edgeseg.stages.trust import trusted
from edgeseg.targets import Target
from edgeseg.targets.histograms import MIN_MAX
from edgeseg.targets.ranges import LEARNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """What is done to the weights before conversion.

    `ranges` are those that post-training int8 takes, None where no int8 target is asked for. `shipped` says that they
    were recorded before and not measured in this build.
    """

    ranges: RecordedRanges | None
    shipped: bool = False

    def describe(self) -> str | None:
        """Say in a few words which calibration the int8 ranges rest on."""
        if self.ranges is None:
            return None
        if self.ranges.activations.method == LEARNED:
            return (
                f"learned in quantization-aware training on {len(self.ranges.patients)} patients of {self.ranges.data}"
            )
        origin = "recorded before and shipped with these weights" if self.shipped else "measured in this build"
        return f"{self.ranges.describe()}, {origin}"

    def describe_each(self, taken: Mapping[str, RecordedRanges]) -> str | None:
        """Say it target by target, where a search took other ranges for one of those in `taken`."""
        if all(found == self.ranges for found in taken.values()):
            return self.describe()
        each = {name: Compression(ranges=r, shipped=self.shipped and r == self.ranges) for name, r in taken.items()}
        return "; ".join(f"{name}: {found.describe()}" for name, found in each.items())


def resolve_compression(
    inputs: BuildInputs, model: Callable[[], Any], *, slices: int | None, seed: int, int8: bool, method: str = MIN_MAX
) -> Compression:
    """Find the ranges that int8 targets take.

    They are those that training learned, where it did. Else they are measured on slices of patients that training used,
    where the data folder holds any; else they are the ones that ship for these weights; else they are measured on the
    shipped phantoms.

    Args:
        inputs: of the build.
        model: gives the trained network, where ranges have to be measured.
        slices: how many to choose from the data; None for the usual number, or all where there are fewer.
        seed: of the choice.
        int8: whether any target needs ranges.
        method: how ranges that are measured follow from the values.
    """
    if not int8:
        return Compression(ranges=None)
    own = inputs.trained or inputs.calibration_dataset is not None
    found = inputs.learned_ranges or (None if own else inputs.shipped_ranges)
    shipped = found is not None
    if found is None:
        manifest, source = _slices(inputs, slices, seed)
        refuse_calibrated(inputs.unseen, manifest.patients)
        found = record_ranges(inputs.checkpoint, manifest, source, method=method, model=model())
    refuse_calibrated(inputs.unseen, found.patients, keys_for(found.patients))
    return Compression(ranges=found, shipped=shipped)


def _slices(inputs: BuildInputs, slices: int | None, seed: int) -> tuple[CalibrationSet, Dataset]:
    """Choose the slices to measure ranges on, and say where they are.

    Raises:
        SeenPatientError: when a patient of the calibration data would be scored.
    """
    source, patients = inputs.calibration_dataset, inputs.trained
    if source is not None:
        refuse_calibrated(inputs.unseen, source.patients)
        patients = source.patients
    elif patients:
        source = inputs.dataset
    else:
        return inputs.shipped_calibration, phantom_calibration_data(inputs.checkpoint.header.image.channels)
    return choose_slices(source, patients, slices=slices, seed=seed), source


def target_contract(
    inputs: BuildInputs, target: Target, ranges: RecordedRanges | None, *, profile: str, public_ids: bool = False
) -> Contract:
    """Return what an artifact of a build says of itself; `ranges` are those that it takes, if any.

    With `public_ids` the patients that it saw stand in it as plain digests, else those of no public id as pseudonyms.
    """
    network = checkpoint_contract(inputs.checkpoint.header, target.name, public_ids=public_ids)
    learned, entries = inputs.checkpoint.header.train_patients, () if ranges is None else ranges.patients
    key = None if public_ids else key_for(learned)
    seen = {*network.seen_patients, *renewed(entries, learned, keys=keys_for(entries), key=key)}
    made = inputs.dressed(network)
    return replace(
        trusted(inputs.checkpoint.path, made, weights_sha256=inputs.weights_sha256, chosen=inputs.own_point),
        calibrated_on=None if ranges is None else ranges.data,
        calibration_hash=None if ranges is None else ranges.calibration_sha256,
        seen_patients=tuple(sorted(seen)),
        profile=target.profile(profile),
    )
