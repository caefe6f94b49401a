"""What a build brings to the search for the cheapest file within a budget: patients, other ranges, ranked layers."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg.data.volume import volumes
from edgeseg.results import Environment, EvalResult, SensitivityResult
from edgeseg.stages.build.compression import resolve_compression
from edgeseg.stages.build.inputs import BuildData
from edgeseg.stages.build.search import Candidate, Known, Searched, Trial, candidates, halve, search
from edgeseg.stages.build.workshop import Workshop
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BudgetSearch:
    """The search for what to build of each int8 target within `max_drop`; see `edgeseg.stages.build.search`.

    What is measured on the way is measured on patients that training used. Without such patients the ranges stay those
    of the build, and layers are compared on the calibration phantoms.

    Attributes:
        workshop: writes and opens files.
        data: who may be scored.
        ranges: the build's own.
        reference: the float parent's scores.
        more: what costs most to make; it is tried when all else has failed.
        ledger: takes over what was tried and measured before.
        environment: where figures are measured.
    """

    workshop: Workshop
    data: BuildData
    ranges: RecordedRanges
    reference: EvalResult
    more: Iterable[Candidate]
    ledger: Ledger
    environment: Environment

    def run(self, target: Target) -> Searched:
        """Search what to build of one target.

        Raises:
            OptionError: when there are too few patients for two halves.
        """
        spec, inputs = self.workshop.spec, self.workshop.inputs
        assert spec.max_drop is not None

        def score(path: Path, patients: tuple[str, ...]) -> EvalResult:
            opened, given = open_artifact(path, threads=spec.threads), volumes(inputs.dataset, patients)
            return evaluate(
                opened,
                given,
                artifact=target.name,
                data=self.data.name,
                allow_seen=spec.allow_seen,
                seed=spec.seed,
            )

        trial = Trial(
            target=target,
            reference=self.reference,
            convert=functools.partial(self.workshop.write, target),
            score=score,
            max_drop=spec.max_drop,
            seed=spec.seed,
            inputs=(inputs.weights_sha256, inputs.content_key, inputs.point, self.environment, spec.allow_seen),
        )
        halves = halve(inputs.dataset, self.data.evaluation_patients, seed=spec.seed)
        return search(functools.partial(self._candidates, target), halves, trial, self.ledger)

    def _candidates(self, target: Target, known: Known) -> Iterator[Candidate]:
        inputs = self.workshop.inputs
        return candidates(
            known,
            self.ranges,
            other=self._other if inputs.trained and inputs.learned_ranges is None else None,
            ranked=functools.partial(self._ranked, target),
            more=self.more,
        )

    @property
    def _own(self) -> tuple[Any, ...]:
        inputs = self.workshop.inputs
        return (inputs.content_key, inputs.weights_sha256, self.workshop.spec.seed)

    def _other(self, method: str) -> RecordedRanges:
        """Measure ranges by another method."""
        spec, inputs = self.workshop.spec, self.workshop.inputs
        slices = spec.calibration_slices or BUILD_SLICES

        def make() -> RecordedRanges:
            model = lambda: self.workshop.model  # noqa: E731  # loaded only where ranges are measured
            found = resolve_compression(
                inputs, model, slices=spec.calibration_slices, seed=spec.seed, int8=True, method=method
            ).ranges
            assert found is not None
            return found

        return self.ledger.run(f"calibrate {method}", RecordedRanges, make, inputs=(*self._own, slices, method))

    def _ranked(self, target: Target) -> SensitivityResult:
        """Measure what each layer costs."""
        spec, inputs = self.workshop.spec, self.workshop.inputs

        def make() -> SensitivityResult:
            if inputs.trained:
                dataset, count = inputs.dataset, min(PATIENTS, len(inputs.trained))
                patients = ranking_patients(inputs.checkpoint, dataset, count=count, seed=spec.seed)
            else:
                dataset = phantom_calibration_data(inputs.checkpoint.header.image.channels)
                patients = dataset.patients[:PATIENTS]
            return sensitivity(
                inputs.checkpoint,
                self.workshop.model,
                self.ranges,
                dataset,
                patients,
                target=target.name,
                seed=spec.seed,
                threads=spec.threads,
            )

        asked = (*self._own, self.ranges, target.name)
        return self.ledger.run(f"sensitivity {target.name}", SensitivityResult, make, inputs=asked)
