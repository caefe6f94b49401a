"""Which layers of an int8 file the error comes from: real files, each with other layers in float."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.checkpoint import Checkpoint
from edgeseg.components import post_process_logits
from edgeseg.data.volume import Dataset, Volume
from edgeseg.errors import OptionError
from edgeseg.imaging import dequantise, quantise
from edgeseg.metrics import count_overlap, each_mask
from edgeseg.place import scratch
from edgeseg.progress import Progress
from edgeseg.results import LayerSensitivity, SensitivityResult
from edgeseg.specs import Contract, check_seed, require_some
from edgeseg.stages.calibrate.lot import calibration_patients
from edgeseg.stages.calibrate.ranges import RecordedRanges
from edgeseg.stages.environment import versions
from edgeseg.stages.predict import Predictor, checkpoint_contract, class_masks, masks_on_volume, volume_logits
from edgeseg.targets import ConvertJob, Target, float_predictor, get, open_artifact
from edgeseg.targets.target import kernel_sizes, logit_codes

PATIENTS = 4
"""How many training patients are looked at unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Answers:
    """The logits of one file, a `(N, H, W) float32` array per patient, and its mean Dice over patients and masks.

    Of a contract with R regions they are `(N, H, W, R)`.
    """

    logits: tuple[NDArray[np.float32], ...]
    dice_mean: float
    numerics: str


def sensitivity(
    checkpoint: Checkpoint,
    model: Any,
    recorded: RecordedRanges,
    dataset: Dataset,
    patients: Sequence[str],
    *,
    target: str,
    seed: int,
    threads: int = 2,
    progress: Progress | None = None,
) -> SensitivityResult:
    """Measure what int8 costs in each layer, alone and in company.

    For each layer two files are written and run: one in which it is the only int8 layer, one in which it is the only
    layer in float. Poolings and joins stay int8 in all of them. The float network's logits are held in the codes that
    int8 files have for theirs, so that the step between two codes, which all files share, does not hide the rest.

    Args:
        checkpoint: the weights.
        model: the network that holds them.
        recorded: ranges of every layer's output.
        dataset: where the patients are; they have masks.
        patients: whom to run, all of them training patients.
        target: an int8 target.
        seed: of the choice of patients, for the record.
        threads: of every runtime.
        progress: called after each file.

    Raises:
        OptionError: when the target is not int8 with layers of its own, or no patient is given.
        UnknownNameError: for an unknown target.
    """
    if not patients:
        raise OptionError("sensitivity is measured on patients, and none was given; give at least one")
    volumes = [dataset.volume(patient) for patient in patients]
    contract = checkpoint_contract(checkpoint.header, target)
    job = ConvertJob(model=model, contract=contract, ranges=recorded.activations)
    files = _Files(check_target(target), job, volumes, threads, progress)
    exact = _answers(float_predictor(model, contract, threads=threads), contract, volumes)
    codes = logit_codes(model, contract, recorded.activations)
    coded = in_codes(exact.logits, scale=codes.scale, zero=codes.zero_point, shift=codes.shift)
    none, every = files.answers(()), files.answers(files.layers)
    return SensitivityResult(
        variant=checkpoint.header.variant.slug,
        target=target,
        weights_sha256=recorded.weights_sha256,
        data=dataset.name,
        calibration=recorded.describe(),
        patients=len(volumes),
        slices=sum(len(volume.images) for volume in volumes),
        numerics=none.numerics,
        float_dice_mean=exact.dice_mean,
        int8_dice_mean=none.dice_mean,
        int8_sqnr_db=sqnr_db(none.logits, coded),
        layers=tuple(files.layer(name, none=none, every=every, coded=coded) for name in files.layers),
        seed=seed,
        versions=versions(),
    )


class _Files:
    """Files of one network with some layers in float, and what they answer."""

    def __init__(
        self, target: Target, job: ConvertJob, volumes: Sequence[Volume], threads: int, progress: Progress | None
    ) -> None:
        self.target, self.job, self.volumes, self.threads = target, job, volumes, threads
        self.progress, self.done = progress, 0
        self.weights = kernel_sizes(job.model)
        self.layers = tuple(self.weights)

    def answers(self, kept: tuple[str, ...]) -> _Answers:
        """Write and run the file in which `kept` stay in float."""
        with scratch() as folder:
            path = folder / f"{self.target.name}{self.target.suffix}"
            self.target.convert(replace(self.job, float_layers=kept), path)
            found = _answers(open_artifact(path, threads=self.threads), self.job.contract, self.volumes)
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, 2 * len(self.layers) + 2, self.target.name)
        return found

    def layer(
        self, name: str, *, none: _Answers, every: _Answers, coded: Sequence[NDArray[np.float32]]
    ) -> LayerSensitivity:
        """Measure one layer against the files with no layer and with every layer in float."""
        alone, kept = self.answers(tuple(other for other in self.layers if other != name)), self.answers((name,))
        before, after = sqnr_db(none.logits, coded), sqnr_db(kept.logits, coded)
        return LayerSensitivity(
            layer=name,
            weights=self.weights[name],
            alone_sqnr_db=sqnr_db(alone.logits, every.logits),
            kept_gain_db=None if before is None or after is None else after - before,
            alone_dice_delta=alone.dice_mean - every.dice_mean,
            kept_dice_delta=kept.dice_mean - none.dice_mean,
        )


def check_target(name: str) -> Target:
    """Return an int8 target whose layers can stay in float.

    Raises:
        UnknownNameError: for an unknown target.
        OptionError: for another precision.
    """
    found = get(name)
    if found.precision != "int8" or not found.needs_calibration:
        raise OptionError(f"{name} is {found.precision}; sensitivity is that of an int8 target, such as tflite-int8")
    return found


def ranking_patients(
    checkpoint: Checkpoint, dataset: Dataset, *, count: int | None, seed: int, among: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Choose patients that trained the weights, institutions in turn; the same arguments choose the same patients.

    Args:
        checkpoint: the weights.
        dataset: where the patients are.
        count: how many; `PATIENTS`, or all of fewer, where None.
        seed: of the choice.
        among: choose only among these; all unless given.

    Raises:
        OptionError: when fewer than one or more than there are were asked for, or the seed is negative.
        SeenPatientError: when no patient of the data set trained the weights.
    """
    check_seed(seed)
    allowed = calibration_patients(checkpoint, dataset, seed=seed)
    trained = set(allowed) & set(dataset.patients if among is None else among)
    known = require_some(
        [patient for patient in dataset.patients if patient in trained],
        otherwise=f"none of the {len(dataset.patients)} patients of {dataset.name} trained {checkpoint.path}; layers "
        "are compared on training patients, so that all others stay unseen. Give the data the weights were trained on",
    )
    count = min(PATIENTS, len(known)) if count is None else count
    if not 1 <= count <= len(known):
        raise OptionError(
            f"{count} training patients were asked for, and there are {len(known)}; give --patients 1 to {len(known)}"
        )
    order = np.random.default_rng(seed).permutation(len(known)).tolist()
    sites: dict[str, int] = {}
    turns = []
    for index in order:
        site = dataset.institution(known[index])
        sites[site] = sites.get(site, 0) + 1
        turns.append((sites[site], site, known[index]))
    return tuple(sorted(patient for _, _, patient in sorted(turns, key=lambda turn: turn[:2])[:count]))


def sqnr_db(given: Sequence[NDArray[np.float32]], wanted: Sequence[NDArray[np.float32]]) -> float | None:
    """Return the signal-to-quantization-noise ratio in decibels, `10 log10(sum s^2 / sum (s - g)^2)`.

    Args:
        given: logits with noise, an array per patient.
        wanted: logits without it, of the same shapes.

    Returns:
        The ratio over all patients together; None where nothing differs.
    """
    signal = sum(float(np.square(array, dtype=np.float64).sum()) for array in wanted)
    pairs = zip(given, wanted, strict=True)
    noise = sum(float(np.square(np.subtract(a, b, dtype=np.float64)).sum()) for a, b in pairs)
    return 10.0 * math.log10(signal / noise) if noise and signal else None


def in_codes(
    logits: Sequence[NDArray[np.float32]], *, scale: float, zero: int, shift: float
) -> tuple[NDArray[np.float32], ...]:
    """Round float logits as the end of an int8 file does, the shift towards the middle of two codes included."""
    return tuple(dequantise(quantise(array + np.float32(shift), scale, zero), scale, zero) for array in logits)


def _answers(predictor: Predictor, contract: Contract, volumes: Sequence[Volume]) -> _Answers:
    logits, dice = [], []
    for volume in volumes:
        found = volume_logits(predictor, volume)
        kept = post_process_logits(found, contract, volume=True)
        masks = masks_on_volume(kept, contract, volume)
        logits.append(found)
        pairs = zip(each_mask(masks), each_mask(class_masks(volume, contract)), strict=True)
        dice.append(fmean(count_overlap(ours, theirs).dice for ours, theirs in pairs))
    return _Answers(logits=tuple(logits), dice_mean=fmean(dice), numerics=predictor.numerics)
