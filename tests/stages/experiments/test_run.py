"""Ablations: plans that are refused, what is done once, and tables that tell noise from difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.artifacts import sha256_file
from edgeseg.checkpoint import CheckpointHeader, read_checkpoint, write_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.split import Split, make_folds
from edgeseg.errors import CheckpointError, OptionError
from edgeseg.jsonio import to_json
from edgeseg.reports.experiments import markdown
from edgeseg.results import ExperimentLog, HeldOutScore, Outcome
from edgeseg.specs import ImageSpec, Plan, Scoring, TrainSpec, VariantSpec
from edgeseg.stages.experiments.plan import read_plan
from edgeseg.stages.experiments.run import read_log, run_experiments

SHIPPED = sorted((Path(__file__).parents[3] / "benchmarks").glob("experiments*.toml"))
PLAN = """
split = "folds.json"
held_out_folds = [0]
[base]
seeds = [0]
train = { epochs = 1, batch_size = 4, crop_px = 32, variant = { alpha = 0.0625 } }
[[question]]
title = "Loss"
row = [{ name = "dice", train = { loss = "dice" } }]
[[question]]
title = "Scoring"
row = [{ name = "last", of = "base", score = { weights = "last" } },
       { name = "mirrored", of = "base", score = { flips = "hflip", min_share = 0.05 } }]
[[question]]
title = "Distillation"
row = [{ name = "pupil", teachers = ["dice"], train = { distil_weight = 0.5 } }]
[[question]]
title = "Mean"
row = [{ name = "longer", start = "base", train = { learning_rate = 0.001 } },
       { name = "soup", mean_of = ["base", "longer"] },
       { name = "no-post", of = "soup", score = { blank = "post" } }]
"""


def _plan(tmp_path: Path, text: str = PLAN) -> Plan:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return read_plan(path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_plans_can_be_read_and_every_row_trained(path: Path) -> None:
    plan = read_plan(path)
    assert plan.split.is_file()
    assert {plan.spec(row, seed=1).seed for row in plan.rows if not row.teachers} == {1}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('loss = "dice"', 'loss = "hinge"', "loss is 'hinge'"),
        ('loss = "dice"', "lose = 1", "unknown key 'lose'"),
        ('name = "dice"', 'name = "base"', "two rows are named 'base'"),
        ('of = "base", score = { weights', 'of = "bass", score = { weights', "'bass', which is no row"),
        ('weights = "last"', 'weights = "best"', "weights is 'best'"),
        ('teachers = ["dice"]', 'teachers = ["mean"]', "'mean', which is no row"),
        ('title = "Loss"', 'titel = "Loss"', "not a plan"),
        ('start = "base"', 'start = "longer"', "starts from 'longer', which is no training before it"),
        ('start = "base"', 'start = "soup"', "starts from 'soup', which is no training before it"),
        ('mean_of = ["base", "longer"]', 'mean_of = ["base"]', "the mean of one row"),
        ('mean_of = ["base", "longer"]', 'mean_of = ["base", "last"]', "'last', which is not trained"),
        ("mean_of = [", 'start = "base", mean_of = [', "so it cannot train as well"),
        ("held_out_folds", "held", "unknown key 'held'"),
        ("held_out_folds = [0]", "held_out_folds = [0, 0]", r"held_out_folds is \[0, 0\]; give numbers"),
        ("held_out_folds = [0]", 'held_out_folds = "01"', "held_out_folds is '01'; give numbers"),
        ("held_out_folds = [0]", "held_out_folds = [0.0]", r"held_out_folds is \[0.0\]; give numbers"),
        ("held_out_folds = [0]", "held_out_folds = [true]", r"held_out_folds is \[True\]; give numbers"),
        ("[base]", '[base]\nname = "first"', "the base is named 'first'; leave its name out"),
        ('name = "mirrored"', 'name = "../mirrored"', "named '../mirrored', and its run's folder"),
        ("seeds = [0]", "seeds = []", "seeds .*; give at least one"),
        ("seeds = [0]", "seeds = [-1]", "seed is -1"),
        ('teachers = ["dice"]', 'teachers = ["pupil"]', "'pupil' starts or learns from what comes of itself"),
        ('teachers = ["dice"]', 'teachers = ["last"]', "learns from 'last', which is not trained"),
        (
            'name = "dice", ',
            'name = "dice", teachers = ["pupil"], ',
            "'dice' starts or learns from what comes of itself",
        ),
        ('name = "dice", ', 'name = "dice", teachers = ["soup"], start = "pupil", ', "what comes of itself"),
        ('split = "folds.json"', "split = 3", "'split' of the plan is '3'; text is needed"),
        ('split = "folds.json"', "", "the plan has no 'split'"),
        ('title = "Loss"', "title = 3", "'title' of a question is '3'; text is needed"),
        ('title = "Loss"', 'title = "a\\u001b[31m"', "one line of characters that can be seen"),
        ('row = [{ name = "dice", train = { loss = "dice" } }]', "row = [1]", "stands where tables are needed"),
        ('name = "dice"', 'label = "dice"', "a row of question 'Loss' has no 'name'"),
        ('train = { loss = "dice" }', "train = 1", "'train' of row 'dice' is '1'; a table is needed"),
        ("[base]", "[base", "not TOML"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        _plan(tmp_path, PLAN.replace(old, new, 1))


def test_a_plan_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot be read"):
        read_plan(tmp_path / "none.toml")


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


@pytest.fixture
def split(cache: SliceCache) -> Split:
    return make_folds(cache, folds=3)


@pytest.mark.usefixtures("untraced", "shallow")
def test_every_row_is_done_once_and_scored_on_patients_it_never_saw(
    cache: SliceCache, split: Split, tmp_path: Path
) -> None:
    plan, log, runs = _plan(tmp_path), tmp_path / "log.json", tmp_path / "runs"
    began: list[tuple[str, int]] = []

    def run(asked: Plan, only: tuple[str, ...] = ()) -> ExperimentLog:
        began.clear()
        return run_experiments(
            asked, cache, split, runs=runs, log=log, only=only, on_row=lambda row, seed: began.append((row, seed))
        )

    run(plan, only=("base",))
    done = run(plan)
    rest = ("dice", "last", "mirrored", "pupil", "longer", "soup", "no-post")
    assert began == [(row, 0) for row in rest]
    assert run(plan) == done == read_log(log, data=cache.name)
    assert began == []
    for outcome in done.outcomes:
        assert tuple(p.patient for p in outcome.patients) == split.validation(0)
        assert outcome.train_patients == len(split.training(0))
    teacher = read_checkpoint(runs / "dice-s0")
    assert not set(teacher.header.train_patients) & set(split.validation(0))
    pupil = done.of("pupil", 0)
    assert pupil is not None
    assert len(pupil.train.teachers) == 1
    soup, parts = read_checkpoint(runs / "soup-s0"), [read_checkpoint(runs / name) for name in ("base-s0", "longer-s0")]
    assert parts[1].header.train.initial == sha256_file(parts[0].path)
    for name, array in soup.arrays.items():
        np.testing.assert_allclose(array, (parts[0].arrays[name] + parts[1].arrays[name]) / 2, rtol=1e-6, atol=1e-7)

    more = _plan(tmp_path, PLAN.replace('flips = "hflip"', 'flips = "flips"'))
    run(more)
    assert began == [("mirrored", 0)]
    run(_plan(tmp_path, PLAN.replace('mean_of = ["base", "longer"]', 'mean_of = ["longer", "base"]')), only=("last",))
    assert began == []
    with pytest.raises(CheckpointError, match="a mean of other runs"):
        run(_plan(tmp_path, PLAN.replace('mean_of = ["base", "longer"]', 'mean_of = ["dice", "longer"]')))
    with pytest.raises(CheckpointError, match="another plan"):
        run(_plan(tmp_path, PLAN.replace('start = "base"', 'start = "dice"')), only=("longer",))
    other = _plan(tmp_path, PLAN.replace("crop_px = 32", "crop_px = 64"))
    with pytest.raises(CheckpointError, match="another plan"):
        run(other)
    with pytest.raises(OptionError, match="'cosine' is no row"):
        run(plan, only=("cosine",))
    with pytest.raises(OptionError, match="blank is 't2', which is no channel of the data; there are pre, flair, post"):
        run(_plan(tmp_path, PLAN.replace('blank = "post"', 'blank = "t2"')), only=("base",))
    with pytest.raises(OptionError, match="the data is 'other'"):
        read_log(log, data="other")


@pytest.mark.usefixtures("untraced", "shallow")
def test_rows_that_another_process_did_meanwhile_are_kept(cache: SliceCache, split: Split, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    elsewhere = _outcome("dice", 0, [0.5])

    def meanwhile(row: str, seed: int) -> None:
        log.write_text(to_json(ExperimentLog(data=cache.name, outcomes=(elsewhere,))))

    run_experiments(
        _plan(tmp_path), cache, split, runs=tmp_path / "runs", log=log, only=("base",), on_row=meanwhile
    )  # fmt: skip
    kept = read_log(log, data=cache.name)
    assert kept.of("dice", 0) == elsewhere
    assert kept.of("base", 0) is not None


def test_a_log_and_a_run_are_of_one_plane(
    cache: SliceCache, split: Split, fold_header: Callable[..., CheckpointHeader], tmp_path: Path
) -> None:
    plan, log, runs = _plan(tmp_path), tmp_path / "log.json", tmp_path / "runs"
    spec = plan.spec(plan.base, seed=0)
    header = fold_header(cache, split.validation(0), spec.variant, ImageSpec(height=64, width=64))
    write_checkpoint(runs / "base-s0" / "weights.safetensors", replace(header, train=spec), {})
    cache.index = replace(cache.index, plane="coronal")
    with pytest.raises(CheckpointError, match="holds a run of another plan"):
        run_experiments(plan, cache, split, runs=runs, log=log, only=("base",))
    log.write_text(to_json(ExperimentLog(data=cache.name)))
    with pytest.raises(OptionError, match="the data is 'kaggle-lgg, coronal'; give another --log"):
        run_experiments(plan, cache, split, runs=runs, log=log)


def _outcome(row: str, seed: int, dice: list[float], **changes: object) -> Outcome:
    spec = TrainSpec(epochs=1, batch_size=4, crop_px=32, variant=VariantSpec(alpha=0.0625), seed=seed)
    return Outcome(
        row=row,
        seed=seed,
        train=replace(spec, **changes),  # type: ignore[arg-type]
        score=Scoring(),
        train_patients=4,
        patients=tuple(
            HeldOutScore(patient=f"P{i}", dice=d, tumour_free_slices=10, false_positive_slices=1)
            for i, d in enumerate(dice)
        ),
        parameters=123_456,
        macs=50_000_000,
        train_s=90.0,
        backend="tensorflow",
    )


def _table(tmp_path: Path, *outcomes: Outcome) -> dict[str, list[str]]:
    plan = replace(_plan(tmp_path), base=replace(_plan(tmp_path).base, seeds=(0, 1)))
    text = markdown(plan, ExperimentLog(data="d", outcomes=outcomes))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {cells[0]: cells[1:] for cells in rows}


BASE = (_outcome("base", 0, [0.80, 0.70, 0.90, 0.60]), _outcome("base", 1, [0.81, 0.71, 0.91, 0.61]))


def test_a_table_pairs_patients_and_says_what_differs(tmp_path: Path) -> None:
    worse = _outcome("dice", 0, [0.70, 0.60, 0.80, 0.50], loss="dice")
    cells = _table(tmp_path, *BASE, worse)["dice"]
    assert cells[0] == "loss dice"
    assert cells[4] == "-0.105 [-0.105, -0.105]"
    assert cells[5] == "worse"
    assert cells[6:] == ["10.0 %", "1.5", "0.12, 0.05"]
    plain = [_outcome(name, 0, [0.8] * 4) for name in ("longer", "soup", "no-post")]
    made = _table(
        tmp_path, *BASE, *(replace(one, score=Scoring(blank="post" * (one.row == "no-post"))) for one in plain)
    )
    assert made["longer"][0] == "on from base"
    assert made["soup"][0] == "mean of base, longer"
    assert made["no-post"][0] == "blank post"


def test_a_difference_that_patients_or_seeds_explain_is_noise(tmp_path: Path) -> None:
    mixed = _outcome("dice", 0, [0.90, 0.60, 0.99, 0.50], loss="dice")
    assert _table(tmp_path, *BASE, mixed)["dice"][5] == "within noise (patients)"
    close = _outcome("dice", 0, [0.81, 0.71, 0.91, 0.61], loss="dice")
    assert _table(tmp_path, *BASE, close)["dice"][5] == "within noise (seeds)"


def test_a_plan_of_which_nothing_ran_has_no_table(tmp_path: Path) -> None:
    assert _table(tmp_path) == {}
