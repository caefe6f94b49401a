"""The build of one variant: every target of it converted, verified, evaluated and timed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from edgeseg import artifacts
from edgeseg.checkpoint import CheckpointHeader
from edgeseg.data.subgroups import several_sites
from edgeseg.data.volume import PHANTOM
from edgeseg.errors import ArtifactError
from edgeseg.progress import Progress
from edgeseg.results import NOT_MADE, BaselineResult, BuildResult, Census, Environment, EvalResult, ParityResult
from edgeseg.specs import BuildSpec, Contract
from edgeseg.specs.seen import NAMED_PATIENTS
from edgeseg.stages.build.candidates import SEARCHED, BudgetSearch
from edgeseg.stages.build.cells import Attempts, Cell, OnFailure
from edgeseg.stages.build.compression import Compression, resolve_compression
from edgeseg.stages.build.inputs import BuildData, BuildInputs, resolve_data
from edgeseg.stages.build.latency import Latencies, measure_latencies, with_latencies
from edgeseg.stages.build.own_baseline import contract_key, file_baseline, file_key, named_baseline
from edgeseg.stages.build.qat import AfterTraining
from edgeseg.stages.build.rows import artifact_rows
from edgeseg.stages.build.search import Candidate, Searched
from edgeseg.stages.build.told import said_of_point
from edgeseg.stages.build.workshop import Workshop
from edgeseg.stages.calibrate import BUILD_SLICES, RecordedRanges
from edgeseg.stages.environment import versions
from edgeseg.stages.ledger import Ledger
from edgeseg.stages.predict import Predictor
from edgeseg.stages.score import evaluate, verify
from edgeseg.targets import Target
from edgeseg.targets.graph import refusal
from edgeseg.targets.histograms import MIN_MAX
from edgeseg.variants import census

T = TypeVar("T")


class VariantBuild:
    """The build of one variant; each method is a stage."""

    def __init__(
        self,
        spec: BuildSpec,
        targets: tuple[Target, ...],
        inputs: BuildInputs,
        ledger: Ledger,
        here: Environment,
        *,
        prefix: str,
        progress: Progress | None,
        on_failure: OnFailure | None,
    ) -> None:
        """Take the opened inputs; `prefix` stands before the names of its stages where a build has several variants."""
        self.spec, self.targets, self.inputs = spec, targets, inputs
        self.ledger, self.prefix, self.environment = ledger, prefix, here
        told = None if on_failure is None else lambda step, reason: on_failure(prefix + step, reason)
        self.attempts = Attempts(told, reference=inputs.reference)
        self.workshop = Workshop(spec, inputs, progress)
        self._trained = AfterTraining(spec, inputs, progress)

    def run(self, started: float) -> BuildResult:
        """Run all stages; `started` is when the first one really began. Baseline and stages are left to the caller."""
        spec, inputs = self.spec, self.inputs
        cells = [Cell(target=target, failure=self._barred(target)) for target in self.targets]
        own = (inputs.content_key, inputs.weights_sha256)
        read = functools.partial(resolve_data, spec, inputs)
        data = self._stage("data", BuildData, read, inputs=(*own, spec.allow_seen), started=started)
        asked = (spec.variant, inputs.weights_sha256)
        counted = self._stage("model", Census, lambda: census(self.workshop.model), inputs=asked)
        compression = self._compress()
        cells = self._each(cells, "convert", lambda cell: self._convert(cell, compression.ranges, data, cells[0]))
        cells = self._scored(cells, data)
        given = self._baseline(data, counted)
        return replace(self._result(data, counted, compression, self._timed(cells)), baseline=given)

    def _result(self, data: BuildData, counted: Census, compression: Compression, cells: Sequence[Cell]) -> BuildResult:
        spec, inputs, header = self.spec, self.inputs, self.inputs.checkpoint.header
        calibration = compression.ranges
        searched = {cell.name: cell.searched for cell in cells if cell.searched is not None}
        return BuildResult(
            command=spec.command,
            seed=spec.seed,
            data=data.name,
            weights=_weights(header, spec.label),
            weights_sha256=inputs.weights_sha256,
            rests_on_phantoms=PHANTOM in (data.name, header.data),
            training_patients=len(header.train_patients),
            calibrated_on=None if calibration is None else calibration.data,
            calibration_patients=0 if calibration is None else len(calibration.patients),
            calibration=compression.describe_each({name: found.chosen.ranges for name, found in searched.items()}),
            operating_point=said_of_point(inputs, data.evaluation_patients),
            baseline=None,
            budgets=tuple(found.result for found in searched.values()),
            artifacts=artifact_rows(spec, cells, counted),
            stages=(),
            environment=self.environment,
            origin=_origin(inputs, spec.seed),
        )

    def _stage(self, name: str, kind: type[T], make: Callable[[], T], **options: Any) -> T:
        return self.ledger.run(self.prefix + name, kind, make, **options)

    def _each(self, cells: list[Cell], step: str, work: Callable[[Cell], Cell]) -> list[Cell]:
        """Take every artifact through a step, in order; `cells` is brought up to date on the way."""
        for index, cell in enumerate(cells):
            cells[index] = self.attempts.extend(cell, step, work)
        return cells

    def _compress(self) -> Compression:
        spec, inputs = self.spec, self.inputs
        int8 = any(target.needs_calibration for target in self.targets)
        slices = spec.calibration_slices or BUILD_SLICES
        known = (inputs.shipped_calibration, inputs.shipped_ranges, inputs.learned_ranges)
        shipped = (*known, versions()) if int8 else None
        method = spec.calibration_method or MIN_MAX
        asked = (inputs.content_key, inputs.weights_sha256, shipped, spec.seed, slices, method)

        def make() -> Compression:
            return resolve_compression(
                inputs,
                lambda: self.workshop.model,
                slices=spec.calibration_slices,
                seed=spec.seed,
                int8=int8,
                method=method,
            )

        return self._stage("compress", Compression, make, inputs=asked)

    def _barred(self, target: Target) -> str | None:
        """Return the status of a target that cannot hold the network, None for one that can.

        Raises:
            ArtifactError: when it was asked for by name.
        """
        own = self.inputs.checkpoint.header.foreign is None  # every format holds edgeseg's own networks
        why = None if own else target.bar(self.workshop.model)
        if why is not None and target.name in self.spec.targets:
            told = refusal(target.name, why) if self.inputs.not_keras else f"{target.name} cannot be made: {why}"
            raise ArtifactError(told)
        return None if why is None else f"{NOT_MADE}: {why}"

    def _convert(self, cell: Cell, ranges: RecordedRanges | None, data: BuildData, reference: Cell) -> Cell:
        """Write one artifact: of an int8 target what the search within the budget says, where there is a budget."""
        taken, searched = None, None
        if ranges is not None and cell.target.needs_calibration:
            searched = self._searched(cell, ranges, data, reference)
            taken = Candidate(recipe="int8", ranges=ranges) if searched is None else searched.chosen
        path, contract = self.workshop.place(cell.target), self.workshop.contract(cell.target, taken)

        def make() -> Contract:
            self.workshop.write(cell.target, taken, path)
            return contract

        facts = None if taken is None else (taken.ranges.activations, taken.float_layers, taken.weights_sha256)
        asked = (contract, facts, self.inputs.weights_sha256, self.workshop.author, versions())
        self._stage(f"convert {cell.name}", Contract, make, inputs=asked, outputs=cell.target.files(path))
        return replace(cell, path=path, taken=taken, searched=searched)

    def _searched(self, cell: Cell, ranges: RecordedRanges, data: BuildData, reference: Cell) -> Searched | None:
        if self.spec.max_drop is None or cell.name not in SEARCHED:
            return None
        scored = self._evaluated(reference, data).evaluation
        assert scored is not None
        search = BudgetSearch(
            workshop=self.workshop,
            data=data,
            ranges=ranges,
            reference=scored,
            more=self._trained,
            ledger=self.ledger,
            environment=self.environment,
        )
        return search.run(cell.target)

    def _scored(self, cells: list[Cell], data: BuildData) -> list[Cell]:
        """Verify and evaluate one artifact after another; only the reference stays open."""
        for index, cell in enumerate(cells):
            if index > 0 or self.workshop.reference is not None:
                cell = self.attempts.extend(cell, "verify", lambda cell: self._verified(cell, data, cells[0]))
            cells[index] = self.attempts.extend(cell, "evaluate", lambda cell: self._evaluated(cell, data))
            if index > 0 and cell.path is not None:
                self.workshop.close(cell.path)
        return cells

    def _verified(self, cell: Cell, data: BuildData, reference: Cell) -> Cell:
        patients = data.evaluation_patients[: self.spec.verify_patients]
        stage, target = f"verify {cell.name}", cell.target
        own = None if cell.taken is None else cell.taken.checkpoint

        header = self.inputs.checkpoint.header
        given = None if header.foreign is None or header.chain else header.foreign

        def make() -> ParityResult:
            found = verify(
                self.workshop.predictor(cell.file),
                self.workshop.parent(cell.taken, reference.file),
                self.workshop.volumes(stage, patients),
                artifact=target.name,
                max_flip_ppm=target.max_flip_ppm,
            )
            return found if given is None or own is not None else replace(found, reference=given.file)

        theirs = artifacts.sha256_file(reference.file if own is None else own.path) if given is None else given.sha256
        hashes = (artifacts.sha256_file(cell.file), theirs)
        asked = (*hashes, data.content_key, patients, target.max_flip_ppm, self.environment)
        return replace(cell, parity=self._stage(stage, ParityResult, make, inputs=asked))

    def _score(self, predictor: Predictor, stage: str, artifact: str, data: BuildData) -> EvalResult:
        return evaluate(
            predictor,
            self.workshop.volumes(stage, data.evaluation_patients),
            artifact=artifact,
            data=data.name,
            allow_seen=self.spec.allow_seen,
            seed=self.spec.seed,
            groupings=several_sites(self.inputs.dataset, data.evaluation_patients),
        )

    def _baseline(self, data: BuildData, counted: Census) -> BaselineResult | None:
        """Measure the file that was given or named; None where the study's network is the baseline."""
        spec, record, stage = self.spec, self.inputs.checkpoint.header.foreign, "baseline"
        if spec.baseline is None and record is None:
            return None

        def score(predictor: Predictor) -> EvalResult:
            known = self.workshop.given if predictor is self.workshop.original else None
            return self._score(known or predictor, stage, stage, data)

        def make() -> BaselineResult:
            options: dict[str, Any] = {"score": score, "here": self.environment}
            if spec.baseline is not None:
                return named_baseline(spec, **options)
            assert self.workshop.original is not None
            return file_baseline(
                spec, self.inputs, original=self.workshop.original, parameters=counted.parameters, **options
            )

        scored = (data.name, data.content_key, data.evaluation_patients, spec.allow_seen, spec.seed)
        file = (file_key(spec.baseline), contract_key(spec)) if spec.baseline is not None else record
        point = None if spec.baseline is not None else self.inputs.point
        asked = (file, point, *scored, spec.threads, spec.bench_budget_s, self.environment)
        return self._stage(stage, BaselineResult, make, inputs=asked)

    def _evaluated(self, cell: Cell, data: BuildData) -> Cell:
        stage = f"evaluate {cell.name}"

        def make() -> EvalResult:
            return self._score(self.workshop.predictor(cell.file), stage, cell.name, data)

        scored = (data.name, data.content_key, data.evaluation_patients)
        asked = (artifacts.sha256_file(cell.file), *scored, self.spec.seed, self.environment)
        return replace(cell, evaluation=self._stage(stage, EvalResult, make, inputs=asked))

    def _timed(self, cells: Sequence[Cell]) -> list[Cell]:
        """Time the artifacts that have not failed and what the searches rejected, in one interleaved run."""
        spec = self.spec
        standing = [cell for cell in cells if cell.failure is None]

        def make() -> Latencies:
            self.workshop.close()
            return measure_latencies(spec, standing, attempts=self.attempts, write=self.workshop.write)

        hashes = {cell.name: artifacts.sha256_file(cell.file) for cell in standing}
        tried = [point.sha256 for cell in standing if cell.searched for point in cell.searched.result.tried]
        asked = (hashes, tried, spec.threads, spec.bench_runs, spec.bench_budget_s, spec.seed, self.environment)
        found = self._stage("benchmark", Latencies, make, inputs=asked)
        return [with_latencies(cell, found) for cell in cells]


def _weights(header: CheckpointHeader, label: str) -> str:
    if header.foreign is not None:
        how = f"fine-tuned on {len(header.train_patients)} patients of" if header.chain else "trained on"
        return f"{label}, of {header.foreign.file}, {how} {header.data}"
    return f"{label}, trained on {len(header.train_patients)} patients of {header.data}"


def _origin(inputs: BuildInputs, seed: int) -> str | None:
    """Say whom a network of somebody else may have seen, and who was kept for its calibration."""
    foreign = inputs.checkpoint.header.foreign
    if foreign is None or inputs.dataset.name == PHANTOM:
        return None
    unknown = f"TRAINING UNKNOWN: {foreign.file} does not say whom it learned from; a patient who is scored may be one."
    if not inputs.trained:
        return unknown
    if inputs.checkpoint.header.chain:
        return f"{unknown} {len(inputs.trained)} patients were fine-tuned on here, and are not scored."
    who = ", ".join(inputs.trained[:NAMED_PATIENTS]) + (" ..." if len(inputs.trained) > NAMED_PATIENTS else "")
    if foreign.contract.seen_patients:
        return f"{len(inputs.trained)} patients whom {foreign.file} names as seen lent slices to calibration ({who})."
    return f"{unknown} {len(inputs.trained)} patients, drawn by seed {seed}, were calibrated on and not scored ({who})."
