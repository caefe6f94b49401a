"""The build of one variant: every target of it converted, verified, evaluated and timed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from edgeseg import artifacts
from edgeseg.checkpoint import Checkpoint, load_weights
from edgeseg.data.volume import PHANTOM, Volume, volumes
from edgeseg.results import (
    REFERENCE,
    BudgetResult,
    BuildResult,
    Census,
    Environment,
    EvalResult,
    LatencyResult,
    ParityResult,
)
from edgeseg.specs import BuildSpec, Contract
from edgeseg.stages.build.candidates import SEARCHED, find
from edgeseg.stages.build.cells import Cells, OnFailure
from edgeseg.stages.build.inputs import (
    BuildData,
    BuildInputs,
    Compression,
    resolve_compression,
    resolve_data,
    target_contract,
)
from edgeseg.stages.build.latency import Latencies, measure_latencies, with_latencies
from edgeseg.stages.build.qat import AfterTraining
from edgeseg.stages.build.rows import artifact_rows
from edgeseg.stages.build.search import Candidate, Searched
from edgeseg.stages.calibrate import BUILD_SLICES, RecordedRanges
from edgeseg.stages.environment import versions
from edgeseg.stages.ledger import Ledger
from edgeseg.stages.predict import Predictor, Remembered
from edgeseg.stages.score import evaluate, verify
from edgeseg.targets import ConvertJob, KerasPredictor, Target, keras_fp32, open_artifact
from edgeseg.targets.histograms import MIN_MAX
from edgeseg.variants import build_model, census

T = TypeVar("T")
OnProgress = Callable[[str, int, int], None]


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
        on_progress: OnProgress | None,
        on_failure: OnFailure | None,
    ) -> None:
        """Take the opened inputs; `prefix` stands before the names of its stages where a build has several variants."""
        self.spec, self.targets, self.inputs = spec, targets, inputs
        self.ledger, self.prefix, self.on_progress = ledger, prefix, on_progress
        self.cells = Cells(None if on_failure is None else lambda step, reason: on_failure(prefix + step, reason))
        self.environment = here
        self._open: dict[str, Predictor] = {}
        self._taken: dict[str, Candidate] = {}
        self._trained = AfterTraining(spec, inputs, on_progress)

    def run(self, started: float) -> BuildResult:
        """Run all stages; `started` is when the first one really began. Baseline and stages are left to the caller."""
        spec, inputs = self.spec, self.inputs
        header = inputs.checkpoint.header
        own = (inputs.content_key, inputs.weights_sha256)
        read = functools.partial(resolve_data, spec, inputs)
        data = self._stage("data", BuildData, read, inputs=(*own, spec.allow_seen), started=started)
        counted = self._stage("model", Census, lambda: census(self.model), inputs=(spec.variant, inputs.weights_sha256))
        compression = self._compress()
        calibration = compression.ranges
        paths, searches = self._convert_all(calibration, data)
        parities, scores = self._score_all(paths, data)
        latencies, budgets = self._benchmark(paths, searches)
        rows = artifact_rows(
            spec,
            self.targets,
            paths,
            counted=counted,
            parities=parities,
            scores=scores,
            latencies=latencies,
            failed=self.cells.failed,
        )
        return BuildResult(
            command=spec.command,
            seed=spec.seed,
            data=data.name,
            weights=f"{header.variant.slug}, trained on {len(header.train_patients)} patients of {header.data}",
            weights_sha256=inputs.weights_sha256,
            rests_on_phantoms=PHANTOM in (data.name, header.data),
            training_patients=len(header.train_patients),
            calibrated_on=None if calibration is None else calibration.data,
            calibration_patients=0 if calibration is None else len(calibration.patients),
            calibration=compression.describe_each({name: found.ranges for name, found in self._taken.items()}),
            operating_point=None if inputs.choice is None else inputs.choice.caveat(data.evaluation_patients),
            baseline=None,
            budgets=budgets,
            artifacts=rows,
            stages=(),
            environment=self.environment,
        )

    def _stage(self, name: str, kind: type[T], make: Callable[[], T], **options: Any) -> T:
        return self.ledger.run(self.prefix + name, kind, make, **options)

    @functools.cached_property
    def model(self) -> Any:
        """The trained Keras network, loaded when the first stage needs it, on the threads that were asked for."""
        return self._model_of(self.inputs.checkpoint)

    def _model_of(self, checkpoint: Checkpoint) -> Any:
        keras_fp32.set_threads(self.spec.threads)
        model = build_model(self.spec.variant, checkpoint.header.image)
        load_weights(model, checkpoint, self.spec.variant)
        return model

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
                inputs, lambda: self.model, slices=slices, seed=spec.seed, int8=int8, method=method
            )

        return self._stage("compress", Compression, make, inputs=asked)

    def _convert_all(
        self, ranges: RecordedRanges | None, data: BuildData
    ) -> tuple[dict[str, Path], tuple[Searched, ...]]:
        """Convert to every target; those that fail are left out. Also gives what each search within a budget tried."""
        paths: dict[str, Path] = {}
        searches: list[Searched] = []
        for target in self.targets:
            work = functools.partial(self._convert_one, target, ranges, data, paths)
            made = self.cells.attempt(target.name, "convert", work)
            if made is not None:
                paths[target.name] = made[0]
                searches += [] if made[1] is None else [made[1]]
        return paths, tuple(searches)

    def _convert_one(
        self, target: Target, ranges: RecordedRanges | None, data: BuildData, paths: dict[str, Path]
    ) -> tuple[Path, Searched | None]:
        """Convert to one target: an int8 one as the search within the budget says, where there is a budget."""
        if ranges is None or not target.needs_calibration:
            return self._convert(target, None), None
        if self.spec.max_drop is None or target.name not in SEARCHED:
            return self._convert(target, Candidate(recipe="int8", ranges=ranges)), None
        searched = find(
            self.spec,
            self.inputs,
            data,
            target,
            ranges,
            model=lambda: self.model,
            reference=self._evaluate(self.targets[0], paths[REFERENCE], data),
            convert=functools.partial(self._write, target),
            more=self._trained,
            ledger=self.ledger,
            environment=self.environment,
        )
        self._taken[target.name] = searched.chosen
        return self._convert(target, searched.chosen), searched

    def _contract(self, target: Target, taken: Candidate | None) -> Contract:
        ranges = None if taken is None else taken.ranges
        return target_contract(self.inputs, target, ranges, profile=self.spec.profile)

    def _write(self, target: Target, taken: Candidate | None, path: Path) -> None:
        contract = self._contract(target, taken)
        job = ConvertJob(model=self.model, contract=contract)
        if taken is not None:
            model = self.model if taken.checkpoint is None else self._model_of(taken.checkpoint)
            job = replace(job, model=model, ranges=taken.ranges.activations, float_layers=taken.float_layers)
        target.convert(job, path)

    def _convert(self, target: Target, taken: Candidate | None) -> Path:
        path = artifacts.artifact_path(self.spec.out, self.spec.variant.slug, target.name, target.suffix)
        contract = self._contract(target, taken)

        def make() -> Contract:
            self._write(target, taken, path)
            return contract

        facts = None if taken is None else (taken.ranges.activations, taken.float_layers, taken.weights_sha256)
        asked = (contract, facts, self.inputs.weights_sha256, versions())
        self._stage(f"convert {target.name}", Contract, make, inputs=asked, outputs=target.files(path))
        return path

    def _predictor(self, path: Path) -> Predictor:
        if path.name not in self._open:
            self._open[path.name] = Remembered(open_artifact(path, threads=self.spec.threads))
        return self._open[path.name]

    def _float_predictor(self, checkpoint: Checkpoint) -> Predictor:
        """Open weights that a search trained, with the build's own operating point."""
        contract = self._contract(self.targets[0], None)
        return KerasPredictor(self._model_of(checkpoint), contract, threads=self.spec.threads)

    def _score_all(
        self, paths: dict[str, Path], data: BuildData
    ) -> tuple[dict[str, ParityResult], dict[str, EvalResult]]:
        """Verify and evaluate one artifact after another; only the reference stays open."""
        parities: dict[str, ParityResult] = {}
        scores: dict[str, EvalResult] = {}
        for target in (t for t in self.targets if t.name in paths):
            if target.name != REFERENCE:
                verified = self.cells.attempt(
                    target.name, "verify", functools.partial(self._verify, target, paths, data)
                )
                parities |= {} if verified is None else {target.name: verified}
            path = paths[target.name]
            scored = self.cells.attempt(target.name, "evaluate", functools.partial(self._evaluate, target, path, data))
            scores |= {} if scored is None else {target.name: scored}
            if target.name != REFERENCE:
                self._open.pop(path.name, None)
        return parities, scores

    def _volumes(self, stage: str, patients: tuple[str, ...]) -> Iterator[Volume]:
        for done, volume in enumerate(volumes(self.inputs.dataset, patients)):
            if self.on_progress is not None:
                self.on_progress(stage, done, len(patients))
            yield volume

    def _verify(self, target: Target, paths: dict[str, Path], data: BuildData) -> ParityResult:
        patients = data.evaluation_patients[: self.spec.verify_patients]
        path, stage = paths[target.name], f"verify {target.name}"
        taken = self._taken.get(target.name)
        own = None if taken is None else taken.checkpoint

        def make() -> ParityResult:
            return verify(
                self._predictor(path),
                self._predictor(paths[REFERENCE]) if own is None else self._float_predictor(own),
                self._volumes(stage, patients),
                artifact=target.name,
                max_flip_ppm=target.max_flip_ppm,
            )

        hashes = (artifacts.sha256_file(path), artifacts.sha256_file(paths[REFERENCE] if own is None else own.path))
        asked = (*hashes, data.content_key, patients, target.max_flip_ppm, self.environment)
        return self._stage(stage, ParityResult, make, inputs=asked)

    def _evaluate(self, target: Target, path: Path, data: BuildData) -> EvalResult:
        stage = f"evaluate {target.name}"

        def make() -> EvalResult:
            return evaluate(
                self._predictor(path),
                self._volumes(stage, data.evaluation_patients),
                artifact=target.name,
                data=data.name,
                allow_seen=self.spec.allow_seen,
                seed=self.spec.seed,
            )

        scored = (data.name, data.content_key, data.evaluation_patients)
        asked = (artifacts.sha256_file(path), *scored, self.spec.seed, self.environment)
        return self._stage(stage, EvalResult, make, inputs=asked)

    def _benchmark(
        self, paths: dict[str, Path], searches: Sequence[Searched]
    ) -> tuple[dict[str, LatencyResult], tuple[BudgetResult, ...]]:
        """Time the artifacts that have not failed and what the searches rejected, in one interleaved run."""
        spec = self.spec
        asked_for = {name: path for name, path in paths.items() if name not in self.cells.failed}
        kept = tuple(searched for searched in searches if searched.result.target in asked_for)

        def make() -> Latencies:
            self._open.clear()
            return measure_latencies(spec, asked_for, kept, cells=self.cells, write=self._write)

        hashes = {name: artifacts.sha256_file(path) for name, path in asked_for.items()}
        tried = [point.sha256 for searched in kept for point in searched.result.tried]
        asked = (hashes, tried, spec.threads, spec.bench_runs, spec.bench_budget_s, spec.seed, self.environment)
        found = self._stage("benchmark", Latencies, make, inputs=asked)
        return found.of_artifacts(), with_latencies([searched.result for searched in searches], found)
