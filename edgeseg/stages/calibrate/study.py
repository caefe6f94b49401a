"""Held-out Dice of int8 against the number of calibration slices, the method, and calibration on phantoms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from edgeseg import artifacts
from edgeseg.checkpoint import Checkpoint
from edgeseg.data.volume import Dataset, volumes
from edgeseg.place import cache_dir, scratch
from edgeseg.results import CalibratedClass, CalibrationPoint, CalibrationSet, CalibrationStudy, EvalResult
from edgeseg.specs import check_seed, refuse_calibrated, require_some
from edgeseg.stages.calibrate.ranges import record_ranges, training_patients
from edgeseg.stages.calibrate.sensitivity import check_target
from edgeseg.stages.calibrate.slices import (
    BUILD_SLICES,
    choose_slice_sets,
    phantom_calibration_data,
    shipped_phantom_set,
)
from edgeseg.stages.environment import environment, versions
from edgeseg.stages.ledger import Ledger, OnStage
from edgeseg.stages.predict import checkpoint_contract, name_patients, network_of
from edgeseg.stages.score import class_deltas, dice_delta, evaluate
from edgeseg.targets import ConvertJob, float_predictor, open_artifact
from edgeseg.targets.histograms import METHODS, MIN_MAX

COUNTS = (8, 16, 32, 64, 128, 256, 512)
"""How many slices are tried with the first method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    result: EvalResult


def study(
    checkpoint: Checkpoint,
    dataset: Dataset,
    *,
    key: str,
    target: str,
    seed: int,
    threads: int = 2,
    among: tuple[str, ...] | None = None,
    command: str = "edgeseg calibrate --study",
    on_stage: OnStage | None = None,
) -> CalibrationStudy:
    """Calibrate on training patients in many ways, and score each int8 file on the patients held out of training.

    Points that were scored before, for the same weights and data, are taken over.

    Args:
        checkpoint: the weights; their header names who was held out.
        dataset: holds training and held-out patients.
        key: changes with the data, see `folder_key`.
        target: an int8 target.
        seed: of the choice of slices, and of the bootstrap.
        threads: of every runtime.
        among: calibrate only on these patients; all who trained the weights unless given.
        command: for the record.
        on_stage: called after each point.

    Raises:
        SeenPatientError: when the data holds no patient that was held out, or none that trained the weights.
        EdgeSegError: for an unknown target, one that is not int8, or a negative seed.
    """
    check_seed(seed)
    found = check_target(target)
    checkpoint = name_patients(checkpoint, dataset.patients)
    scored = require_some(
        [p for p in dataset.patients if p in set(checkpoint.header.validation_patients)],
        otherwise=f"none of the {len(dataset.patients)} patients of {dataset.name} was held out when "
        f"{checkpoint.path} was trained; a study scores held-out patients. Give the data and weights of one training",
    )
    return _Study(checkpoint, dataset, found, scored, key, seed, threads, on_stage).run(among, command)


class _Study:
    """One study; every point goes through the ledger."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        dataset: Dataset,
        target: Any,
        scored: tuple[str, ...],
        key: str,
        seed: int,
        threads: int,
        on_stage: OnStage | None,
    ) -> None:
        self.checkpoint, self.dataset, self.target, self.scored = checkpoint, dataset, target, scored
        self.seed, self.threads = seed, threads
        self.weights = artifacts.sha256_file(checkpoint.path)
        self.model = network_of(checkpoint)
        self.job = ConvertJob(model=self.model, contract=checkpoint_contract(checkpoint.header, target.name))
        place = cache_dir() / "calibration-study" / self.weights[:16]
        self.ledger = Ledger(artifacts.make_dir(place), rebuild=False, on_stage=on_stage)
        self.asked = (self.weights, key, scored, seed, versions())

    def run(self, among: tuple[str, ...] | None, command: str) -> CalibrationStudy:
        parent = self.ledger.run("float", _Scored, self._float, inputs=self.asked).result
        points, numerics = [], ""
        for manifest, source, method in self._plan(among):
            name = f"{self.target.name} {manifest.data} {len(manifest.slices)} {method}"
            scored = self.ledger.run(
                name,
                _Scored,
                lambda m=manifest, s=source, how=method: self._int8(m, s, how),  # type: ignore[misc]
                inputs=(*self.asked, manifest, method),
            ).result
            numerics = scored.numerics
            points.append(
                CalibrationPoint(
                    data=manifest.data,
                    method=method,
                    slices=len(manifest.slices),
                    patients=len(manifest.patients),
                    calibration_sha256=manifest.sha256,
                    dice=scored.dice,
                    delta=dice_delta(scored, parent, seed=self.seed),
                    classes=_classes(scored, parent, seed=self.seed),
                )
            )
        return CalibrationStudy(
            command=command,
            variant=self.checkpoint.header.variant.slug,
            target=self.target.name,
            weights_sha256=self.weights,
            data=self.dataset.name,
            patients=len(self.scored),
            float_dice=parent.dice,
            numerics=numerics,
            points=tuple(points),
            seed=self.seed,
            environment=environment(),
        )

    def _plan(self, among: tuple[str, ...] | None) -> Iterator[tuple[CalibrationSet, Dataset, str]]:
        patients = training_patients(self.checkpoint, self.dataset, among, seed=self.seed)
        sets = choose_slice_sets(self.dataset, patients, counts=COUNTS, seed=self.seed)
        for manifest in sets:
            refuse_calibrated(self.scored, manifest.patients)
            yield manifest, self.dataset, MIN_MAX
        usual = min(sets, key=lambda manifest: abs(len(manifest.slices) - BUILD_SLICES))
        for method in METHODS[1:]:
            yield usual, self.dataset, method
        yield shipped_phantom_set(), phantom_calibration_data(self.checkpoint.header.image.channels), MIN_MAX

    def _float(self) -> _Scored:
        contract = checkpoint_contract(self.checkpoint.header)
        return self._score(float_predictor(self.model, contract, threads=self.threads), "keras-fp32")

    def _int8(self, manifest: CalibrationSet, source: Dataset, method: str) -> _Scored:
        recorded = record_ranges(self.checkpoint, manifest, source, method=method, model=self.model)
        contract = replace(self.job.contract, calibrated_on=recorded.data, calibration_hash=recorded.calibration_sha256)
        with scratch() as folder:
            path = folder / f"{self.target.name}{self.target.suffix}"
            self.target.convert(replace(self.job, contract=contract, ranges=recorded.activations), path)
            return self._score(open_artifact(path, threads=self.threads), self.target.name)

    def _score(self, predictor: Any, artifact: str) -> _Scored:
        given = volumes(self.dataset, self.scored)
        return _Scored(result=evaluate(predictor, given, artifact=artifact, data=self.dataset.name, seed=self.seed))


def _classes(scored: EvalResult, parent: EvalResult, *, seed: int) -> tuple[CalibratedClass, ...]:
    found = zip(scored.classes, class_deltas(scored, parent, seed=seed), strict=True)
    return tuple(CalibratedClass(name=one.name, dice=one.dice, delta=delta) for one, delta in found)
