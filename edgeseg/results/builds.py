"""What a build leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.errors import OptionError
from edgeseg.results.budget import BudgetResult
from edgeseg.results.common import RESULT_SCHEMA_VERSION, Environment, Interval, LatencyResult
from edgeseg.results.scores import EvalResult, ParityResult

GOOD_STATUS = "ok"
PARITY_FAILED = "PARITY FAILED"
CELL_FAILED = "FAILED"
"""How the status of an artifact begins that could not be made, run or scored; the step and the reason follow."""
NOT_MADE = "not made"
"""How the status of an artifact begins whose format cannot hold the network at all; the reason follows. No failure."""
NOTABLE_LOSS = 0.005
"""The most mean Dice that a file may lose to its float network and still be recommended."""
REFERENCE = "keras-fp32"
"""The target that every other one is compared with; it is always built."""
GRAPH_REFERENCE = "onnx-fp32"
"""The same of a network that stays an ONNX graph, which no Keras file can be made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineResult:
    """The file everything starts from: the full-width U-Net with Adam's state, as Keras saves it.

    Where a build starts from somebody's file, or one is named, it is that file (`given`): `variant` is its name,
    `weights_size_bytes` four bytes for each of its network's parameters, and `evaluation` its scores in its own
    runtime.
    """

    variant: str
    parameters: int
    size_bytes: int
    weights_size_bytes: int
    derivation: str
    latency: LatencyResult | None
    environment: Environment
    evaluation: EvalResult | None = None
    given: bool = False

    def __post_init__(self) -> None:
        """Refuse sizes that nothing can be put in proportion to."""
        for name in ("size_bytes", "weights_size_bytes"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} of the baseline is {getattr(self, name)}; 1 byte or more is needed")

    @property
    def title(self) -> str:
        """What it is in a few words."""
        return self.variant if self.given else f"{self.variant} with Adam's state"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRow:
    """Everything a report says about one artifact; a part that was not measured is None, never a guess.

    `float_layers` are the layers of an int8 artifact that are computed in float, as its contract has them. `variant` is
    the slug of the network, and `network` its name, empty where it has none.
    """

    artifact: str
    variant: str
    tier: str
    target: str
    path: str
    sha256: str
    size_bytes: int
    gzip_size_bytes: int
    parameters: int
    macs: int
    parity: ParityResult | None
    evaluation: EvalResult | None
    latency: LatencyResult | None
    dice_delta_to_float: Interval | None
    status: str
    float_layers: tuple[str, ...] = ()
    network: str = ""

    def __post_init__(self) -> None:
        """Refuse scores of a file that holds nothing."""
        if self.evaluation is not None and self.size_bytes < 1:
            raise OptionError(
                f"size_bytes of '{self.artifact}' is {self.size_bytes}, and it was scored; a file is needed"
            )

    @property
    def label(self) -> str:
        """What tables call the network: its name, or its slug where it has none."""
        return self.network or self.variant

    @property
    def ruled_out(self) -> bool:
        """Whether the format cannot hold the network at all, so that there was nothing to make."""
        return self.status.startswith(NOT_MADE)

    @property
    def stands(self) -> bool:
        """Whether it could be made, run and scored, and is what it came from."""
        made = not self.status.startswith((CELL_FAILED, NOT_MADE))
        return made and (self.parity is None or self.parity.passed)

    @property
    def finds_nothing(self) -> bool:
        """Whether it was scored on patients with lesions and touches none."""
        patients = () if self.evaluation is None else self.evaluation.patients
        return any(one.lesions for one in patients) and not any(one.lesions_found for one in patients)

    @property
    def falls_short(self) -> bool:
        """Whether it loses more than `NOTABLE_LOSS` mean Dice to its float network."""
        return self.dice_delta_to_float is not None and self.dice_delta_to_float.mean < -NOTABLE_LOSS


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """One line of a build: a stage, its time, and whether it was taken from an earlier run."""

    stage: str
    seconds: float
    reused: bool
    fingerprint: str
    outputs: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What `edgeseg build` leaves in `build.json`.

    `calibrated_on` is the data that int8 ranges were measured on, None where no int8 target was built; `calibration`
    says the same in words, with the number of slices and whether they were measured or shipped. `operating_point` says
    what it does to the scores that threshold and post-processing were chosen on patients that are scored, None where
    they were not. `budgets` holds every point that a search for the cheapest file within a budget tried, one entry per
    int8 target. `r2` is the full-width R2U-Net measured as the baseline is, None where it was not asked for. `folds` is
    0 but for the builds of a cross-validation's folds brought together, where it counts them: then each patient is
    scored by the artifact of the fold that never saw them, a row's size is that of the largest of its files, and it
    names no file. `origin` says what is not known of a network that somebody else trained, None for others.
    """

    command: str
    seed: int
    data: str
    weights: str
    weights_sha256: str
    rests_on_phantoms: bool
    training_patients: int
    calibrated_on: str | None
    calibration_patients: int
    baseline: BaselineResult | None
    artifacts: tuple[ArtifactRow, ...]
    stages: tuple[StageRecord, ...]
    environment: Environment
    calibration: str | None = None
    operating_point: str | None = None
    budgets: tuple[BudgetResult, ...] = ()
    r2: BaselineResult | None = None
    folds: int = 0
    origin: str | None = None
    schema_version: int = RESULT_SCHEMA_VERSION

    def reference(self, network: str) -> ArtifactRow | None:
        """The artifact that the others of a network, by its label, are compared with, where it was scored."""
        rows = {row.target: row for row in self.artifacts if row.label == network and row.evaluation is not None}
        return rows.get(REFERENCE) or rows.get(GRAPH_REFERENCE)

    @property
    def main(self) -> ArtifactRow | None:
        """The artifact to ship, if one was evaluated and failed no check.

        Of those that lose at most `NOTABLE_LOSS` mean Dice to their float network (of all where none is such), it is
        the one whose size times median latency is least. So a file that is smaller by less than it is slower is not
        taken, nor is one that is small at the cost of what it finds. Where no latency was measured, size decides.
        """
        good = [row for row in self.artifacts if row.evaluation is not None and row.stands]
        good = [row for row in good if row.dice_delta_to_float is not None and not row.falls_short] or good
        timed = {id(row): row.size_bytes * row.latency.latency_ms_p50 for row in good if row.latency is not None}
        if timed:
            return min((row for row in good if id(row) in timed), key=lambda row: timed[id(row)])
        return min(good, key=lambda row: row.size_bytes, default=None)
