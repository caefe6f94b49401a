"""The rules on what a network tells of its masks and inputs: each promise of `edgeseg trust`, held to a bound.

The figures are those of the record beside the weights, `trust.json`, on patients that its numbers were not fitted on.
Beside the bound stands what the baseline had: a figure that fell by more than its margin fails too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields

from edgeseg import networks
from edgeseg.errors import EdgeSegError, OptionError
from edgeseg.results import CheckCase, TrustResult
from edgeseg.results.trust import ClassTrust
from edgeseg.specs import Contract
from edgeseg.stages.check.inputs import CheckedArtifact, read_file_contract
from edgeseg.stages.trust import trust_for, with_trust

RULE = "trust"
DEFERRED_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustLimits:
    """What the promises are held to, all shares but `min_spearman` and `min_deferral_gain`.

    Attributes:
        min_auroc: how well the expected Dice tells poor masks from others.
        min_spearman: its rank correlation with the true Dice.
        min_coverage: of patients whose true volume lies in its interval; `max_coverage`: intervals that hold more are
            wider than they say.
        max_calibration_error: of scaled probabilities.
        min_deferral_gain: by how much the mean Dice of the rest rises where the tenth of least expected Dice is given
            to a person.
        min_poor_flagged: of the poor masks of patients that these weights held out.
        min_same_flags: of patients whom an int8 file and the float network flag alike.
        min_odd_told: of inputs that were made odd on purpose.
        max_false_alarms: of inputs as they are; of few patients rounded up to a whole one.
    """

    min_auroc: float = 0.90
    min_spearman: float = 0.70
    min_coverage: float = 0.86
    max_coverage: float = 0.94
    max_calibration_error: float = 0.05
    min_deferral_gain: float = 0.03
    min_poor_flagged: float = 0.90
    min_same_flags: float = 0.98
    min_odd_told: float = 0.95
    max_false_alarms: float = 0.05

    def __post_init__(self) -> None:
        """Refuse limits that mean nothing."""
        for name in LIMITS:
            if not -1.0 <= getattr(self, name) <= 1.0:
                raise OptionError(
                    f"the limit {name} of trust is {getattr(self, name)}; a number of at most 1 is needed"
                )
        if self.min_coverage > self.max_coverage:
            raise OptionError(
                f"min_coverage of trust is {self.min_coverage} and max_coverage {self.max_coverage}; give them in order"
            )


LIMITS = tuple(one.name for one in fields(TrustLimits))
"""Names of the limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRules:
    """How trust is checked.

    Attributes:
        records: what to hold, each for its own weights; those of networks by name are found by themselves.
        required: whether a build without a record, and a promise without a figure, fail.
        limits: what the promises are held to.
    """

    records: tuple[TrustResult, ...] = ()
    required: bool = False
    limits: TrustLimits = TrustLimits()


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure, how it was counted, and a whole number of patients that it is a share of, where it is one."""

    value: float
    told: str
    of: int | None = None


@dataclass(frozen=True, slots=True)
class _Promise:
    """One rule: its figure, names of its limits, and by how much it may be worse than the baseline's.

    `margin` is above 0 where more is better and below 0 where less is; None where the limits alone count.
    """

    name: str
    what: str
    figure: Callable[[TrustResult], _Figure | None]
    low: str | None
    high: str | None
    margin: float | None


def _counted(part: int, whole: int) -> _Figure | None:
    return _Figure(part / whole, f"{part} of {whole}", whole) if whole else None


def _number(value: float | None) -> _Figure | None:
    return None if value is None else _Figure(value, f"{value:.3f}")


def _gain(found: TrustResult) -> _Figure | None:
    kept = [one.dice_mean for one in found.figures.deferral if math.isclose(one.deferred_share, DEFERRED_SHARE)]
    return _number(kept[0] - found.figures.dice_mean) if kept else None


_PROMISES = (
    _Promise("auroc", "AUROC of poor masks", lambda it: _number(it.figures.auroc_poor), "min_auroc", None, 0.02),
    _Promise("rank", "rank correlation with the true Dice", lambda it: _number(it.figures.spearman),
             "min_spearman", None, 0.05),
    _Promise("coverage", "true volumes in their intervals",
             lambda it: _counted(it.figures.volume_covered, it.figures.volume_intervals),
             "min_coverage", "max_coverage", None),
    _Promise("calibration", "calibration error of scaled probabilities",
             lambda it: _number(it.reliability.error_after), None, "max_calibration_error", -0.01),
    _Promise("deferral", f"gain in mean Dice of giving {DEFERRED_SHARE:.0%} to a person", _gain,
             "min_deferral_gain", None, 0.01),
    _Promise("own", "poor masks of its own held-out patients that are flagged",
             lambda it: None if it.own is None else _counted(it.own.poor_flagged, it.own.poor),
             "min_poor_flagged", None, None),
    _Promise("int8", "patients whom int8 and float flag alike",
             lambda it: None if it.int8 is None else _counted(it.int8.same_flag, it.int8.patients),
             "min_same_flags", None, None),
    _Promise("odd", "odd inputs that are told",
             lambda it: None if it.inputs is None else _counted(it.inputs.told, it.inputs.made_odd),
             "min_odd_told", None, 0.02),
    _Promise("alarms", "usual inputs told to be odd",
             lambda it: None if it.inputs is None else _counted(it.inputs.false_alarms, it.inputs.patients),
             None, "max_false_alarms", -0.02),
)  # fmt: skip


def _coverage_of(one: ClassTrust) -> _Promise:
    figure = _counted(one.figures.volume_covered, one.figures.volume_intervals)
    return _Promise(f"coverage of {one.name}", f"true volumes of {one.name} in their intervals", lambda _: figure,
                    "min_coverage", None, None)  # fmt: skip


def trust_cases(
    found: Iterable[CheckedArtifact], rules: TrustRules, then: Mapping[str, Mapping[str, float]]
) -> Iterable[CheckCase]:
    """Hold the promises of each build's network.

    Args:
        found: what is checked.
        rules: records and limits.
        then: the figures of the baseline, by network and rule.

    Raises:
        OptionError: when a record is for none of the builds, or cannot be read.
    """
    items = list(found)
    for network, record in _records(items, rules).items():
        if record is None:
            detail = "no trust record of these weights, so its promises were not checked; make one: edgeseg trust"
            yield CheckCase(artifact=network, rule=RULE, passed=not rules.required, detail=detail)
            continue
        yield _same_numbers(network, [one for one in items if one.row.variant == network], record)
        for promise in _PROMISES:
            yield _case(network, promise, record, rules, then.get(network, {}).get(promise.name))
        for one in record.classes:
            yield _case(network, _coverage_of(one), record, rules, None)


def trust_figures(found: Iterable[CheckedArtifact], rules: TrustRules) -> dict[str, dict[str, float]]:
    """Return what a baseline keeps: the figures of each network that has a record, by rule.

    Raises:
        OptionError: as `trust_cases`.
    """
    kept = {network: record for network, record in _records(list(found), rules).items() if record is not None}
    return {
        network: {one.name: figure.value for one in _PROMISES if (figure := one.figure(record)) is not None}
        for network, record in kept.items()
    }


def _records(items: Iterable[CheckedArtifact], rules: TrustRules) -> dict[str, TrustResult | None]:
    """Find the record of each network, by the digest of its weights; None where there is none."""
    given = {one.weights_sha256: one for one in rules.records}
    weights = {item.row.variant: item.build.weights_sha256 for item in items}
    if strange := [one for digest, one in given.items() if digest not in weights.values()]:
        raise OptionError(
            f"the trust record of {strange[0].variant} is for the weights {strange[0].weights_sha256[:12]}, and no "
            "build that is checked has these; make it again with 'edgeseg trust', or leave it out"
        )
    return {network: given.get(digest) or _beside(digest) for network, digest in weights.items()}


def _beside(weights_sha256: str) -> TrustResult | None:
    network = networks.of_weights(weights_sha256)
    return None if network is None else trust_for(network.folder, weights_sha256=weights_sha256)


def _same_numbers(network: str, items: list[CheckedArtifact], record: TrustResult) -> CheckCase:
    """The figures speak for a file whose contract has the record's numbers."""
    told = {item.name: contract for item in items if (contract := _told(item)) is not None}
    if other := [name for name, contract in told.items() if not _agrees(contract, record)]:
        detail = f"{', '.join(other)} carries other numbers of trust than the record; build again"
        return CheckCase(artifact=network, rule=RULE, passed=False, detail=detail)
    told_files, one = f"{len(told)} of {len(items)} files", record.numbers[0]
    detail = f"{told_files} carry the numbers of the record, which rest on {one.patients} patients of {one.data}"
    return CheckCase(artifact=network, rule=RULE, passed=True, detail=detail)


def _told(item: CheckedArtifact) -> Contract | None:
    """Return a file's contract where that says anything of trust."""
    if item.path is None:
        return None
    try:
        contract = read_file_contract(item.path)
    except EdgeSegError:
        return None  # the rule on the contract says why
    return contract if contract.trust is not None or any(contract.output_trusts) else None


def _agrees(contract: Contract, record: TrustResult) -> bool:
    try:
        wanted = with_trust(contract, record)
    except OptionError:
        return False
    return (wanted.trust, wanted.output_trusts) == (contract.trust, contract.output_trusts)


def _case(network: str, promise: _Promise, record: TrustResult, rules: TrustRules, then: float | None) -> CheckCase:
    figure, rule = promise.figure(record), f"{RULE} {promise.name}"
    if figure is None:
        detail = f"{promise.what}: the record has no such figure, so it was not checked"
        return CheckCase(artifact=network, rule=rule, passed=not rules.required, detail=detail)
    low = None if promise.low is None else getattr(rules.limits, promise.low)
    high = None if promise.high is None else getattr(rules.limits, promise.high)
    most, rounded = (high, "") if high is None or low is not None else _most(figure, high)
    within = (low is None or figure.value >= low) and (most is None or figure.value <= most)
    said = [*([] if low is None else [f"at least {low:g}"]), *([] if high is None else [f"at most {high:g}{rounded}"])]
    worse = False
    if then is not None and promise.margin is not None:
        worse = (then - figure.value) * math.copysign(1.0, promise.margin) > abs(promise.margin)
        said.append(f"the baseline had {then:.3f}, and may be missed by {abs(promise.margin):g}")
    counted = "" if figure.of is None else f" ({figure.value:.1%})"
    return CheckCase(
        artifact=network,
        rule=rule,
        passed=within and not worse,
        detail=f"{promise.what}: {figure.told}{counted}; {', '.join(said)}",
        baseline=then,
        now=figure.value,
        limit=high if low is None else low,
    )


def _most(figure: _Figure, limit: float) -> tuple[float, str]:
    """Return the greatest share that an upper limit allows, of few patients a whole number of them; and its words."""
    if figure.of is None:
        return limit, ""
    allowed = math.ceil(limit * figure.of - 1e-9)
    return allowed / figure.of, f", rounded up to {allowed} of {figure.of}"
