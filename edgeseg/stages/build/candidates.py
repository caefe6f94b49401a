"""What a build brings to the search for the cheapest file within a budget: patients, other ranges, ranked layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from edgeseg.data.volume import volumes
from edgeseg.results import Environment, EvalResult, SensitivityResult
from edgeseg.specs import BuildSpec
from edgeseg.stages.build.inputs import BuildData, BuildInputs, resolve_compression
from edgeseg.stages.build.search import Candidate, Convert, Searched, candidates, halve, search
from edgeseg.stages.calibrate import (
    BUILD_SLICES,
    PATIENTS,
    RecordedRanges,
    phantom_calibration_data,
    ranking_patients,
    sensitivity,
)
from edgeseg.stages.ledger import Ledger
from edgeseg.stages.score import evaluate
from edgeseg.targets import Target, open_artifact

SEARCHED = ("tflite-int8", "onnx-int8")
"""The targets that can keep layers in float, and so have something to search."""


def find(
    spec: BuildSpec,
    inputs: BuildInputs,
    data: BuildData,
    target: Target,
    ranges: RecordedRanges,
    *,
    model: Callable[[], Any],
    reference: EvalResult,
    convert: Convert,
    more: Iterable[Candidate],
    ledger: Ledger,
    environment: Environment,
) -> Searched:
    """Search what to build of one int8 target within `spec.max_drop`; see `edgeseg.stages.build.search`.

    Args:
        spec: of the build.
        inputs: of the build.
        data: who may be scored.
        target: an int8 target.
        ranges: the build's own.
        model: gives the trained network.
        reference: the float parent's scores.
        convert: writes a candidate's file.
        more: what to try when all else has failed.
        ledger: takes over what was tried before.
        environment: where figures are measured.

    Raises:
        OptionError: when there are too few patients for two halves.
    """
    assert spec.max_drop is not None

    def score(path: Path, patients: tuple[str, ...]) -> EvalResult:
        opened, given = open_artifact(path, threads=spec.threads), volumes(inputs.dataset, patients)
        return evaluate(opened, given, artifact=target.name, data=data.name, allow_seen=spec.allow_seen, seed=spec.seed)

    return search(
        target,
        build_candidates(spec, inputs, target, ranges, model=model, more=more, ledger=ledger),
        halve(inputs.dataset, data.evaluation_patients, seed=spec.seed),
        reference,
        convert=convert,
        score=score,
        max_drop=spec.max_drop,
        seed=spec.seed,
        ledger=ledger,
        inputs=(inputs.weights_sha256, inputs.content_key, inputs.point, environment, spec.allow_seen),
    )


def build_candidates(
    spec: BuildSpec,
    inputs: BuildInputs,
    target: Target,
    ranges: RecordedRanges,
    *,
    model: Callable[[], Any],
    ledger: Ledger,
    more: Iterable[Candidate] = (),
) -> Iterator[Candidate]:
    """Give the candidates of one target: what is measured on the way is measured on patients that training used.

    Without such patients the ranges stay those of the build, and layers are compared on the calibration phantoms.

    Args:
        spec: of the build.
        inputs: of the build.
        target: an int8 target.
        ranges: the build's own.
        model: gives the trained network.
        ledger: takes over what was measured before.
        more: what costs most to make; it is asked for last.
    """
    slices = spec.calibration_slices or BUILD_SLICES
    own = (inputs.content_key, inputs.weights_sha256, spec.seed)

    def other(method: str) -> RecordedRanges:
        def make() -> RecordedRanges:
            found = resolve_compression(inputs, model, slices=slices, seed=spec.seed, int8=True, method=method).ranges
            assert found is not None
            return found

        return ledger.run(f"calibrate {method}", RecordedRanges, make, inputs=(*own, slices, method))

    def ranked() -> SensitivityResult:
        def make() -> SensitivityResult:
            if inputs.trained:
                dataset, count = inputs.dataset, min(PATIENTS, len(inputs.trained))
                patients = ranking_patients(inputs.checkpoint, dataset, count=count, seed=spec.seed)
            else:
                dataset = phantom_calibration_data()
                patients = dataset.patients[:PATIENTS]
            return sensitivity(
                inputs.checkpoint,
                model(),
                ranges,
                dataset,
                patients,
                target=target.name,
                seed=spec.seed,
                threads=spec.threads,
            )

        return ledger.run(f"sensitivity {target.name}", SensitivityResult, make, inputs=(*own, ranges, target.name))

    return candidates(
        ranges,
        other=other if inputs.trained and inputs.learned_ranges is None else None,
        ranked=ranked,
        more=more,
    )
