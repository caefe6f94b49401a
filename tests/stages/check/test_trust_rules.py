"""The rules on what is told of masks and inputs: what holds, what a spoiled record fails, and without a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg import artifacts
from edgeseg.jsonio import from_json, to_json
from edgeseg.results import BuildResult, CheckResult, TrustResult
from edgeseg.specs import Trust
from edgeseg.stages.check.baseline import read_baseline
from edgeseg.stages.check.inputs import CheckedArtifact
from edgeseg.stages.check.trust import TrustRules, trust_cases, trust_figures
from edgeseg.stages.trust import TRUST_FILE, read_trust
from tests.stages.check.conftest import Gate, Site

NETWORK, SHIPPED = "alphax-0.125-half", artifacts.shipped("models", "light")
RULES = ("auroc", "rank", "coverage", "calibration", "deferral", "own", "int8", "odd", "alarms")
Spoil = Callable[[TrustResult], TrustResult]


def _figures(**changes: object) -> Spoil:
    return lambda it: replace(it, figures=replace(it.figures, **changes))  # type: ignore[arg-type]


def _part(name: str, **changes: object) -> Spoil:
    return lambda it: replace(it, **{name: replace(getattr(it, name), **changes)})


def _as_it_is(found: TrustResult) -> TrustResult:
    return found


def _less_gain(found: TrustResult) -> TrustResult:
    mean = found.figures.dice_mean
    rows = tuple(replace(one, dice_mean=mean + 0.029) for one in found.figures.deferral)
    return _figures(deferral=rows)(found)


BELOW_BOUNDS: dict[str, Spoil] = {
    "auroc": _figures(auroc_poor=0.899),
    "rank": _figures(spearman=0.69),
    "coverage": _figures(volume_covered=75),
    "coverage, too wide": _figures(volume_covered=84),
    "calibration": _part("reliability", error_after=0.06),
    "deferral": _less_gain,
    "own": _part("own", poor_flagged=0),
    "int8": _part("int8", same_flag=86),
    "odd": _part("inputs", told=1400),
    "alarms": _part("inputs", false_alarms=5),
}
WORSE_THAN_BEFORE: dict[str, Spoil] = {
    "auroc": _figures(auroc_poor=0.95),
    "rank": _figures(spearman=0.74),
    "calibration": _part("reliability", error_after=0.04),
    "deferral": _figures(dice_mean=0.81),
    "odd": _part("inputs", told=1440),
}
"""Within the bounds; the baseline has more, by what `BEFORE` makes of it where the shipped record would not."""
BEFORE: dict[str, Spoil] = {
    "deferral": _figures(dice_mean=0.79),
    "odd": _part("inputs", told=1512),
}


@pytest.fixture
def record(site: Site) -> TrustResult:
    """The record of the network that ships, as if it were for the weights of the build."""
    return replace(read_trust(SHIPPED), weights_sha256=site.build.weights_sha256)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[TrustResult], Path]:
    return lambda record: artifacts.write_text(tmp_path / TRUST_FILE, to_json(record))


def failures(capsys: pytest.CaptureFixture[str]) -> list[str]:
    result = from_json(CheckResult, capsys.readouterr().out)
    return [case.rule for case in result.cases if not case.passed]


def test_every_promise_of_the_network_that_ships_holds(
    gate: Gate, record: TrustResult, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    place = write(record)
    capsys.readouterr()
    assert gate("--trust", place, "--require-trust", "--json") == 0
    cases = from_json(CheckResult, capsys.readouterr().out).cases
    assert [case.rule for case in cases if case.rule.startswith("trust")] == [
        "trust",
        *(f"trust {one}" for one in RULES),
    ]
    assert gate("--trust", place) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def held(build: BuildResult, now: TrustResult, before: TrustResult | None = None) -> list[str]:
    """Return the rules that fail, beside the figures of another record where one is given."""
    row = replace(build.artifacts[0], variant=NETWORK)
    item = CheckedArtifact(name=f"{NETWORK}/keras-fp32", row=row, path=None, build=build)
    then = {} if before is None else trust_figures([item], TrustRules(records=(before,)))
    return [case.rule for case in trust_cases([item], TrustRules(records=(now,)), then) if not case.passed]


@pytest.mark.parametrize("name", BELOW_BOUNDS)
def test_a_record_below_a_bound_fails_its_rule_alone(name: str, make_build: Callable[..., BuildResult]) -> None:
    build = make_build()
    record = replace(read_trust(SHIPPED), weights_sha256=build.weights_sha256)
    assert held(build, record) == []
    assert held(build, BELOW_BOUNDS[name](record)) == [f"trust {name.partition(',')[0]}"]


@pytest.mark.parametrize("name", WORSE_THAN_BEFORE)
def test_a_record_within_the_bounds_fails_where_the_baseline_had_more(
    name: str, make_build: Callable[..., BuildResult]
) -> None:
    build = make_build()
    record = replace(read_trust(SHIPPED), weights_sha256=build.weights_sha256)
    before, now = BEFORE.get(name, _as_it_is)(record), WORSE_THAN_BEFORE[name](record)
    assert held(build, now) == []
    assert held(build, before, before) == []
    assert held(build, now, before) == [f"trust {name}"]


def test_a_baseline_keeps_the_figures(
    gate: Gate, site: Site, record: TrustResult, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate("--trust", write(record), "--update", "--reason", "trust") == 0
    assert set((read_baseline(site.baseline).trust or {})[NETWORK]) == set(RULES)
    place = write(_figures(auroc_poor=0.95)(record))
    capsys.readouterr()
    assert gate("--trust", place, "--json") == 1
    assert failures(capsys) == ["trust auroc"]


def test_a_network_without_a_record_says_so_and_fails_where_it_is_asked(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert gate() == 0
    assert "no trust record of these weights" in capsys.readouterr().out
    assert gate("--require-trust", "--json") == 1
    assert failures(capsys) == ["trust"]


def test_a_figure_that_was_not_measured_is_said_and_fails_where_it_is_asked(
    gate: Gate, record: TrustResult, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    place = write(replace(record, int8=None, inputs=None))
    capsys.readouterr()
    assert gate("--trust", place) == 0
    assert " ".join(capsys.readouterr().out.split()).count("the record has no such figure") == 3
    assert gate("--trust", place, "--require-trust", "--json") == 1
    assert failures(capsys) == ["trust int8", "trust odd", "trust alarms"]


def test_a_file_with_other_numbers_than_the_record_fails(
    gate: Gate, site: Site, record: TrustResult, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    other = Trust(output=replace(record.numbers[0], look_below=0.5))
    site.save(site.build, contract=replace(site.contract, trust=other).versioned())
    place = write(record)
    capsys.readouterr()
    assert gate("--trust", place, "--max-size-growth", "9", "--json") == 1
    assert failures(capsys) == ["trust"]


def test_the_record_of_a_network_by_name_is_found(gate: Gate, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    digest = read_trust(SHIPPED).weights_sha256
    site.save(replace(site.build, weights_sha256=digest))
    capsys.readouterr()
    assert gate("--require-trust") == 0
    assert "trust alarms" in capsys.readouterr().out


def test_another_limit_is_taken(gate: Gate, record: TrustResult, write: Callable[..., Path]) -> None:
    place = write(BELOW_BOUNDS["auroc"](record))
    assert gate("--trust", place, "--trust-limit", "min-auroc=0.85") == 0
    assert gate("--trust", write(record), "--trust-limit", "min-auroc=0.999") == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--trust-limit", "luck=1"), "is no limit with its number"),
        (("--trust-limit", "min-auroc"), "is no limit with its number"),
        (("--trust-limit", "min-auroc=much"), "is no limit with its number"),
        (("--trust-limit", "min-auroc=nan"), "is no limit with its number"),
        (("--trust-limit", "min-auroc=90"), "a number of at most 1"),
        (("--trust-limit", "min-coverage=0.95"), "give them in order"),
        (("--trust", "absent.json"), "cannot be read"),
    ],
    ids=["name", "no number", "word", "nan", "percent", "order", "absent"],
)
def test_what_cannot_be_honoured(
    gate: Gate, options: tuple[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert gate(*options) == 2
    assert says in " ".join(capsys.readouterr().err.split())


def test_a_record_of_other_weights_is_refused(
    gate: Gate, record: TrustResult, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    place = write(replace(record, weights_sha256="ab" * 32))
    capsys.readouterr()
    assert gate("--trust", place) == 2
    assert "no build that is checked has these" in " ".join(capsys.readouterr().err.split())
