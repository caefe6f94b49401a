"""The main job: data, model, compress, convert, verify, evaluate, benchmark, report."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeseg import artifacts
from edgeseg.checkpoint import load_weights
from edgeseg.data.volume import PHANTOM, Volume, volumes
from edgeseg.jsonio import to_json
from edgeseg.results import (
    ArtifactRow,
    BaselineResult,
    BudgetResult,
    BuildResult,
    EvalResult,
    LatencyResult,
    ParityResult,
    StageRecord,
)
from edgeseg.specs import BuildSpec, Contract
from edgeseg.stages import report
from edgeseg.stages.baseline import baseline
from edgeseg.stages.benchmark import benchmark
from edgeseg.stages.budget import Candidate
from edgeseg.stages.build_budget import find
from edgeseg.stages.build_inputs import (
    BuildData,
    BuildInputs,
    Compression,
    open_inputs,
    resolve_compression,
    resolve_data,
    target_contract,
)
from edgeseg.stages.build_rows import REFERENCE, artifact_row
from edgeseg.stages.calibrate import BUILD_SLICES
from edgeseg.stages.environment import environment, versions
from edgeseg.stages.evaluate import evaluate
from edgeseg.stages.ledger import Ledger
from edgeseg.stages.predictor import Predictor
from edgeseg.stages.ranges import RecordedRanges
from edgeseg.stages.verify import verify
from edgeseg.targets import ConvertJob, Target, keras_fp32, open_artifact, resolve
from edgeseg.targets.histograms import MIN_MAX
from edgeseg.variants import Census, build_model, census

OnStage = Callable[[StageRecord], None]
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Latencies:
    """What one interleaved benchmark run found."""

    rows: tuple[LatencyResult, ...]


def build(spec: BuildSpec, *, on_stage: OnStage | None = None, on_progress: OnProgress | None = None) -> BuildResult:
    """Build artifacts and everything that is said about them.

    Leaves `<out>/<variant>/<target>.*`, `build.json`, `report.md` and `report.json`. A stage whose inputs and outputs
    are unchanged since an earlier build in the same folder is not run again unless `spec.rebuild`.

    Args:
        spec: what is asked for.
        on_stage: called when a stage is done.
        on_progress: called with a stage's name, what is done and how much there is.

    Raises:
        EdgeSegError: for bad input, before anything is written where that can be known.
    """
    targets = resolve((REFERENCE, *spec.targets))
    started = time.perf_counter()
    return _Build(spec, targets, open_inputs(spec), on_stage, on_progress).run(started)


class _Build:
    """One build; each method is a stage."""

    def __init__(
        self,
        spec: BuildSpec,
        targets: tuple[Target, ...],
        inputs: BuildInputs,
        on_stage: OnStage | None,
        on_progress: OnProgress | None,
    ) -> None:
        self.spec, self.targets, self.inputs = spec, targets, inputs
        self.on_progress = on_progress
        self.ledger = Ledger(artifacts.make_dir(spec.out), rebuild=spec.rebuild, on_stage=on_stage)
        self.environment = environment()
        self._open: dict[str, Predictor] = {}

    def run(self, started: float) -> BuildResult:
        spec, inputs, ledger = self.spec, self.inputs, self.ledger
        header = inputs.checkpoint.header
        own = (inputs.content_key, inputs.weights_sha256)
        read = functools.partial(resolve_data, spec, inputs)
        data = ledger.run("data", BuildData, read, inputs=(*own, spec.allow_seen), started=started)
        counted = ledger.run("model", Census, lambda: census(self.model), inputs=(spec.variant, inputs.weights_sha256))
        compression = self._compress()
        paths, budgets = self._convert_all(calibration := compression.ranges, data)
        parities = {t.name: self._verify(t, paths, data) for t in self.targets if t.name != REFERENCE}
        scores = {t.name: self._evaluate(t, paths[t.name], data) for t in self.targets}
        latencies = self._benchmark(paths)
        start = ledger.run("baseline", BaselineResult, self._baseline, inputs=(self.environment, spec.threads))
        rows = self._rows(paths, counted, parities, scores, latencies)
        result = BuildResult(
            command=spec.command,
            seed=spec.seed,
            data=data.name,
            weights=f"{header.variant.slug}, trained on {len(header.train_patients)} patients of {header.data}",
            weights_sha256=inputs.weights_sha256,
            rests_on_phantoms=PHANTOM in (data.name, header.data),
            training_patients=len(header.train_patients),
            calibrated_on=None if calibration is None else calibration.data,
            calibration_patients=0 if calibration is None else len(calibration.patients),
            calibration=compression.describe(),
            operating_point=None if inputs.choice is None else inputs.choice.caveat(data.evaluation_patients),
            baseline=start,
            budgets=budgets,
            artifacts=rows,
            stages=(),
            environment=self.environment,
        )
        return self._report(result)

    @functools.cached_property
    def model(self) -> Any:
        """The trained Keras network, loaded when the first stage needs it, on the threads that were asked for."""
        keras_fp32.set_threads(self.spec.threads)
        model = build_model(self.spec.variant, self.inputs.checkpoint.header.image)
        load_weights(model, self.inputs.checkpoint, self.spec.variant)
        return model

    def _compress(self) -> Compression:
        spec, inputs = self.spec, self.inputs
        int8 = any(target.needs_calibration for target in self.targets)
        slices = spec.calibration_slices or BUILD_SLICES
        known = (inputs.shipped_calibration, inputs.shipped_ranges, inputs.learned_ranges, versions()) if int8 else None
        method = spec.calibration_method or MIN_MAX
        asked = (inputs.content_key, inputs.weights_sha256, known, spec.seed, slices, method)

        def make() -> Compression:
            return resolve_compression(
                inputs, lambda: self.model, slices=slices, seed=spec.seed, int8=int8, method=method
            )

        return self.ledger.run("compress", Compression, make, inputs=asked)

    def _convert_all(
        self, ranges: RecordedRanges | None, data: BuildData
    ) -> tuple[dict[str, Path], tuple[BudgetResult, ...]]:
        paths: dict[str, Path] = {}
        budgets = []
        for target in self.targets:
            taken = None
            if ranges is not None and target.needs_calibration:
                taken = Candidate(recipe="int8", ranges=ranges)
                if self.spec.max_drop is not None:
                    taken, searched = find(
                        self.spec,
                        self.inputs,
                        data,
                        target,
                        ranges,
                        model=lambda: self.model,
                        reference=self._evaluate(self.targets[0], paths[REFERENCE], data),
                        convert=functools.partial(self._write, target),
                        ledger=self.ledger,
                        environment=self.environment,
                    )
                    budgets.append(searched)
            paths[target.name] = self._convert(target, taken)
        return paths, tuple(budgets)

    def _write(self, target: Target, taken: Candidate | None, path: Path) -> None:
        contract = target_contract(self.inputs, target, None if taken is None else taken.ranges)
        job = ConvertJob(model=self.model, contract=contract)
        if taken is not None:
            model = self.model if taken.model is None else taken.model()
            job = replace(job, model=model, ranges=taken.ranges.activations, float_layers=taken.float_layers)
        target.convert(job, path)

    def _convert(self, target: Target, taken: Candidate | None) -> Path:
        path = artifacts.artifact_path(self.spec.out, self.spec.variant.slug, target.name, target.suffix)
        contract = target_contract(self.inputs, target, None if taken is None else taken.ranges)

        def make() -> Contract:
            self._write(target, taken, path)
            return contract

        facts = None if taken is None else (taken.ranges.activations, taken.float_layers, taken.key)
        asked = (contract, facts, self.inputs.weights_sha256, versions())
        self.ledger.run(f"convert {target.name}", Contract, make, inputs=asked, outputs=(path,))
        return path

    def _predictor(self, path: Path) -> Predictor:
        if path.name not in self._open:
            self._open[path.name] = open_artifact(path, threads=self.spec.threads)
        return self._open[path.name]

    def _volumes(self, stage: str, patients: tuple[str, ...]) -> Iterator[Volume]:
        for done, volume in enumerate(volumes(self.inputs.dataset, patients)):
            if self.on_progress is not None:
                self.on_progress(stage, done, len(patients))
            yield volume

    def _verify(self, target: Target, paths: dict[str, Path], data: BuildData) -> ParityResult:
        patients = data.evaluation_patients[: self.spec.verify_patients]
        path, reference = paths[target.name], paths[REFERENCE]
        stage = f"verify {target.name}"

        def make() -> ParityResult:
            return verify(
                self._predictor(path),
                self._predictor(reference),
                self._volumes(stage, patients),
                artifact=target.name,
                max_flip_ppm=target.max_flip_ppm,
            )

        hashes = (artifacts.sha256_file(path), artifacts.sha256_file(reference))
        asked = (*hashes, data.content_key, patients, target.max_flip_ppm, self.environment)
        return self.ledger.run(stage, ParityResult, make, inputs=asked)

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
        return self.ledger.run(stage, EvalResult, make, inputs=asked)

    def _benchmark(self, paths: dict[str, Path]) -> dict[str, LatencyResult]:
        spec = self.spec

        def make() -> _Latencies:
            opened = {n: open_artifact(path, threads=spec.threads, numerics="fast") for n, path in paths.items()}
            budget = spec.bench_budget_s
            return _Latencies(rows=benchmark(opened, runs=spec.bench_runs, budget_s=budget, seed=spec.seed))

        hashes = {name: artifacts.sha256_file(path) for name, path in paths.items()}
        asked = (hashes, spec.threads, spec.bench_runs, spec.bench_budget_s, spec.seed, self.environment)
        found = self.ledger.run("benchmark", _Latencies, make, inputs=asked)
        return {row.artifact: row for row in found.rows}

    def _baseline(self) -> BaselineResult:
        return baseline(threads=self.spec.threads, force=self.spec.rebuild)

    def _rows(
        self,
        paths: dict[str, Path],
        counted: Census,
        parities: dict[str, ParityResult],
        scores: dict[str, EvalResult],
        latencies: dict[str, LatencyResult],
    ) -> tuple[ArtifactRow, ...]:
        return tuple(
            artifact_row(
                self.spec,
                target,
                paths[target.name],
                counted=counted,
                parity=parities.get(target.name),
                evaluation=scores[target.name],
                reference=scores[REFERENCE],
                latency=latencies[target.name],
            )
            for target in self.targets
        )

    def _report(self, result: BuildResult) -> BuildResult:
        """Write the reports and then the manifest, so that a `build.json` always belongs to a finished build."""
        out = self.spec.out

        def make() -> report.Report:
            report.write_report(result, out)
            return report.summarise(result)

        written = (out / "report.md", out / "report.json")
        self.ledger.run("report", report.Report, make, inputs=(result,), outputs=written)
        finished = replace(result, stages=tuple(self.ledger.records))
        artifacts.write_text(out / "build.json", to_json(finished) + "\n")
        return finished
