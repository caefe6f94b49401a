"""The search within a budget: cheapest first, halves that share nobody, and what is told when nothing holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import OptionError
from edgeseg.results import BudgetResult, EvalResult
from edgeseg.stages.build.search import Candidate, Halves, Trial, candidates, dice_drop, halve, search
from edgeseg.stages.calibrate.ranges import RecordedRanges
from edgeseg.stages.ledger import Ledger
from edgeseg.targets import TARGETS
from edgeseg.targets.ranges import ActivationRanges, LayerRange

HALVES = Halves(search=("A", "B"), confirm=("C", "D"))
BEFORE = dict.fromkeys("ABCD", 0.9)


def ranges(method: str = "min-max") -> RecordedRanges:
    layers = (LayerRange(layer="head", low=0.0, high=1.0),)
    return RecordedRanges(
        variant="v",
        weights_sha256="0",
        data="d",
        calibration_sha256="0",
        slices=1,
        patients=(),
        activations=ActivationRanges(method=method, layers=layers),
    )


def scores(make_build: Any, dice: dict[str, float]) -> EvalResult:
    known: EvalResult = make_build().artifacts[0].evaluation
    one = known.patients[0]
    return replace(known, patients=tuple(replace(one, patient=p, dice=value) for p, value in dice.items()))


def run(losses: dict[str, dict[str, float]], make_build: Any, out: Path) -> tuple[Candidate, BudgetResult, list[str]]:
    """Search among recipes that lose so much Dice of each patient."""
    written: list[str] = []

    def convert(candidate: Candidate, path: Path) -> None:
        path.write_text(candidate.recipe)
        written.append(candidate.recipe)

    def score(path: Path, patients: tuple[str, ...]) -> EvalResult:
        lost = losses[path.read_text()]
        return scores(make_build, {p: BEFORE[p] - lost[p] for p in patients})

    tries = (Candidate(recipe=name, ranges=ranges()) for name in losses)
    trial = Trial(
        target=TARGETS["tflite-int8"],
        reference=scores(make_build, BEFORE),
        convert=convert,
        score=score,
        max_drop=0.01,
        seed=0,
        inputs=("x",),
    )
    found = search(lambda _known: tries, HALVES, trial, Ledger(out, rebuild=False))
    assert [c.recipe for c in found.candidates] == [point.recipe for point in found.result.tried]
    return found.chosen, found.result, written


def test_the_first_that_holds_is_taken_and_confirmed_on_others(make_build: Any, tmp_path: Path) -> None:
    losses = {
        "bad": {"A": 0.05, "B": 0.0, "C": 0.0, "D": 0.0},
        "good": {"A": 0.002, "B": 0.004, "C": 0.001, "D": 0.003},
        "never": {},
    }
    chosen, result, _ = run(losses, make_build, tmp_path)
    assert chosen.recipe == result.chosen == "good"
    assert [(point.recipe, point.holds) for point in result.tried] == [("bad", False), ("good", True)]
    assert (result.found, result.confirmed, result.confirmation.patients) == (True, True, 2)
    assert result.tried[1].drop.mean == pytest.approx(0.003)
    assert result.tried[1].drop.bound == pytest.approx(0.004)
    assert "the budget of 0.01 is confirmed" in result.describe()
    assert "loses 0.0030 Dice (95 % sure to lose at most 0.0040) on n = 2 search patients" in result.describe()
    gained = replace(result, confirmation=replace(result.confirmation, mean=-0.002)).describe()
    assert "and gains 0.0020 Dice (95 % sure to lose at most" in gained
    _, again, written = run(losses, make_build, tmp_path)
    assert (again, written) == (result, []), "tried points are taken over"


def test_a_recipe_that_fails_on_the_others_is_not_confirmed(make_build: Any, tmp_path: Path) -> None:
    _, result, _ = run({"lucky": {"A": 0.0, "B": 0.0, "C": 0.2, "D": 0.0}}, make_build, tmp_path)
    assert (result.found, result.confirmed) == (True, False)
    assert "is not confirmed" in result.describe()


def test_where_nothing_holds_the_closest_is_taken(make_build: Any, tmp_path: Path) -> None:
    losses = {name: dict.fromkeys("ABCD", lost) for name, lost in (("far", 0.3), ("near", 0.02), ("mid", 0.1))}
    chosen, result, _ = run(losses, make_build, tmp_path)
    assert chosen.recipe == "near"
    assert (len(result.tried), result.found, result.confirmed) == (3, False, False)
    assert "it is the closest of 3, and the budget is 0.01" in result.describe()


def test_layers_are_ranked_only_when_int8_alone_was_not_enough() -> None:
    asked: list[str] = []

    def ranked() -> Any:
        asked.append("ranked")
        return SimpleNamespace(worst_first=lambda: [SimpleNamespace(layer=name) for name in "cab"])

    last = Candidate(recipe="qat", ranges=ranges())
    known: list[Any] = []
    given = candidates(known, ranges(), other=ranges, ranked=ranked, more=[last])
    plain = [next(given) for _ in range(4)]
    known += [(c, SimpleNamespace(drop=SimpleNamespace(bound=b))) for c, b in zip(plain, (9, 3, 5, 4), strict=True)]
    assert [c.ranges.activations.method for c in plain] == ["min-max", "percentile", "entropy", "mse"]
    assert asked == []
    rest = list(given)
    assert [c.float_layers for c in rest] == [("c",), ("c", "a"), ("c", "a", "b"), ()]
    assert rest[-1] is last
    assert {c.ranges.activations.method for c in rest[:3]} == {"percentile"}, "the method that lost least"
    assert rest[0].recipe == "int8 (percentile), c in float"


def test_halves_share_nobody_and_are_alike(tiny_lgg: Path) -> None:
    dataset = KaggleLgg(tiny_lgg)
    halves = halve(dataset, dataset.patients, seed=0)
    assert sorted((*halves.search, *halves.confirm)) == list(dataset.patients)
    assert {dataset.institution(p) for p in halves.search} == {dataset.institution(p) for p in halves.confirm}
    assert halve(dataset, dataset.patients, seed=0) == halves
    with pytest.raises(OptionError, match="there are 3 to score; at least 4 are needed"):
        halve(dataset, dataset.patients[:3], seed=0)


def test_a_drop_is_positive_where_dice_is_lost() -> None:
    found = dice_drop({"A": 0.8, "B": 0.9}, BEFORE, seed=0)
    assert found.mean == pytest.approx(0.05)
    assert found.mean < found.bound <= 0.1 + 1e-12
