"""A build summed up for readers."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.budget import BudgetResult
from edgeseg.results.builds import BaselineResult
from edgeseg.results.common import Environment, Interval, LatencyResult
from edgeseg.results.networks import NetworkClassScore
from edgeseg.results.scores import ParityResult

REPORT_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One artifact; None where nothing was measured.

    `times_smaller_than_file` is against the baseline file with Adam's state, `times_smaller_than_weights` against the
    bare weights of the same network. `seen_unknown` counts whom training or calibration saw under pseudonyms whose key
    is not here; above 0 nobody can tell whether they are among the patients evaluated. Of several classes `dice` is the
    mean over them, and `classes` has each by itself.
    """

    artifact: str
    variant: str
    tier: str
    target: str
    size_bytes: int
    gzip_size_bytes: int
    times_smaller_than_file: float | None
    times_smaller_than_weights: float | None
    parameters: int
    macs: int
    dice: Interval | None
    dice_median: float | None
    dice_delta_to_float: Interval | None
    evaluated_patients: int | None
    seen_patients: int | None
    numerics: str | None
    parity: ParityResult | None
    latency: LatencyResult | None
    status: str
    seen_unknown: int | None = None
    network: str = ""
    classes: tuple[NetworkClassScore, ...] = field(default=(), metadata={LEFT_OUT: True})

    @property
    def label(self) -> str:
        """What tables call the network: its name, or its slug where it has none."""
        return self.network or self.variant

    @property
    def seen_mark(self) -> str:
        """What stands beside the Dice: `*` where seen patients are in it, `?` where nobody can tell, or nothing."""
        return "*" if self.seen_patients else "?" if self.seen_unknown else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `report.json` holds.

    `verdict` is the answer in one sentence: which artifact to ship (`main_artifact`), or what fell short and what to
    try. `remarks` is all that stands under the tables, `cautions` those of them that weaken the figures, and
    `conditions` those that say on whom and on what was measured.
    """

    command: str
    data: str
    weights: str
    rests_on_phantoms: bool
    baseline: BaselineResult | None
    rows: tuple[ReportRow, ...]
    main_artifact: str | None
    remarks: tuple[str, ...]
    environment: Environment
    verdict: str = ""
    cautions: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    budgets: tuple[BudgetResult, ...] = ()
    r2: BaselineResult | None = None
    schema_version: int = REPORT_SCHEMA_VERSION
