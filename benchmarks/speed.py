"""The speed goals in one run: the fresh int8 file against the full-width and the 7.8 M parameter float U-Net.

Builds the default network from what ships (timed), converts both U-Nets untrained (weights decide nothing about time),
lets all files take turns, and says which goals this host meets. `--out DIR` keeps files, build and result.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from edgeseg import artifacts, targets
from edgeseg.jsonio import to_json
from edgeseg.reports.bench import bench_table, ratio_text
from edgeseg.results import BenchCell, BenchResult
from edgeseg.specs import BuildSpec, Contract, VariantSpec
from edgeseg.stages.bench import BenchSpec, bench
from edgeseg.stages.build import build
from edgeseg.variants import VARIANTS, build_model, census

MAIN_TARGET = "tflite-int8"
FLOAT_AND_INT8 = ("tflite-fp32", "tflite-int8", "onnx-fp32", "onnx-int8")
UNETS = {
    "unet-31M": VariantSpec(name="unet", alpha=1.0, stem="full"),
    "unet-7.8M": VariantSpec(name="unet", alpha=0.5, stem="full"),
}
TIMES_GOALS = {"unet-31M": 40.0, "unet-7.8M": 10.0}
BUILD_GOAL_S, MATRIX_GOAL_S = 60.0, 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One goal: `at_least` says whether more is better; None where this run could not measure it."""

    name: str
    goal: float
    measured: float | None
    low: float | None
    high: float | None
    at_least: bool
    met: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedResult:
    """What this script prints with --json; `better` is the fastest of the float and int8 files of the network."""

    goals: tuple[Goal, ...]
    better: str
    float_best: str
    int8_best: str
    parameters: dict[str, int]
    bench: BenchResult
    schema_version: int = 1


def main() -> None:
    """Print tables on stdout, or JSON, and what is being done on stderr."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder to keep; a temporary one unless given")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=200, help="counted runs of each file, at most")
    parser.add_argument("--budget-s", type=float, default=30.0, help="seconds of counted runs of each file, at most")
    parser.add_argument("--target", default="all", help="what the matrix holds besides tflite-int8")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if options.out is not None:
        _measure(options, options.out)
        return
    with tempfile.TemporaryDirectory(prefix="edgeseg-speed-") as folder:
        _measure(options, Path(folder))


def _measure(options: argparse.Namespace, out: Path) -> None:
    seconds = _built(out / "first", (MAIN_TARGET,), options.threads)
    matrix_s = _built(out / "matrix", tuple(options.target.split(",")), options.threads)
    sizes = {name: _untrained(spec, out / f"{name}.onnx") for name, spec in UNETS.items()}
    references = tuple(out / f"{name}.onnx" for name in UNETS)
    slug = VARIANTS["alphax"].default.slug
    fresh = artifacts.artifact_path(out / "first", slug, MAIN_TARGET, targets.get(MAIN_TARGET).suffix)
    others = [
        artifacts.artifact_path(out / "matrix", slug, name, targets.get(name).suffix)
        for name in FLOAT_AND_INT8
        if name != MAIN_TARGET
    ]
    files = (fresh, *(path for path in others if path.is_file()), *references)
    spec = BenchSpec(
        files=files, threads=(options.threads,), runs=options.runs, budget_s=options.budget_s, references=references
    )
    _say("timing")
    found = bench(spec, say=_say)
    result = _judge(found, fresh, sizes, seconds, matrix_s)
    artifacts.write_text(out / "speed.json", to_json(result) + "\n")
    if options.json:
        print(to_json(result))
    else:
        _print(result)


def _built(out: Path, names: tuple[str, ...], threads: int) -> float | None:
    """Build from what ships; return its seconds without the cached baseline, None where stages were reused."""
    _say(f"building {', '.join(names)}")
    spec = BuildSpec(variant=VARIANTS["alphax"].default, targets=names, out=out, threads=threads, r2=False)
    begun = time.perf_counter()
    made = build(spec, on_stage=lambda record: _say(f"  {record.stage:<22}{record.seconds:8.1f} s"))
    if any(record.reused for record in made.stages):
        _say(f"{out} held an earlier build, so the time of this one is no figure; take an empty --out")
        return None
    return time.perf_counter() - begun - sum(s.seconds for s in made.stages if s.stage.startswith("baseline"))


def _untrained(variant: VariantSpec, path: Path) -> int:
    """Write a U-Net with untrained weights as float ONNX; return its parameters."""
    _say(f"converting {variant.slug}")
    model = build_model(variant)
    target = targets.get("onnx-fp32")
    contract = Contract(variant=variant, tier="custom", target=target.name, layout=target.layout, trained_on="none")
    target.convert(targets.ConvertJob(model=model, contract=contract), path)
    return census(model).parameters


def _judge(
    found: BenchResult, fresh: Path, sizes: dict[str, int], build_s: float | None, matrix_s: float | None
) -> SpeedResult:
    cells = {cell.file: cell for cell in found.cells}
    goals = []
    for ratio in cells[str(fresh)].ratios:
        name = Path(ratio.reference).stem
        goal = TIMES_GOALS[name]
        goals.append(
            Goal(
                name=f"{MAIN_TARGET} times as fast as {name}",
                goal=goal,
                measured=ratio.times,
                low=ratio.low,
                high=ratio.high,
                at_least=True,
                met=ratio.times >= goal,
            )
        )
    for name, measured, goal in (
        ("build tflite-int8, s", build_s, BUILD_GOAL_S),
        ("matrix, s", matrix_s, MATRIX_GOAL_S),
    ):
        goals.append(
            Goal(
                name=name,
                goal=goal,
                measured=measured,
                low=None,
                high=None,
                at_least=False,
                met=None if measured is None else measured <= goal,
            )
        )
    light = [cell for cell in found.cells if Path(cell.file).stem not in UNETS]
    float_best = min((c for c in light if "fp32" in str(c.target)), key=_time)
    int8_best = min((c for c in light if "int8" in str(c.target)), key=_time)
    return SpeedResult(
        goals=tuple(goals),
        better=str(min(float_best, int8_best, key=_time).target),
        float_best=str(float_best.target),
        int8_best=str(int8_best.target),
        parameters=sizes,
        bench=found,
    )


def _time(cell: BenchCell) -> float:
    return cell.p50_ms


def _print(result: SpeedResult) -> None:
    from edgeseg.cli._print import show

    show(bench_table(result.bench))
    print("\nparameters: " + ", ".join(f"{name} {count:,}" for name, count in result.parameters.items()))
    for goal in result.goals:
        sign, interval = (">=" if goal.at_least else "<="), ""
        if goal.low is not None and goal.high is not None:
            interval = f" [{goal.low:.1f}, {goal.high:.1f}]"
        verdict = "not measured" if goal.met is None else "met" if goal.met else "NOT met"
        value = "" if goal.measured is None else f"{goal.measured:.1f}{interval}, "
        print(f"{goal.name}: {value}goal {sign} {goal.goal:g}: {verdict}")
    light = (cell for cell in result.bench.cells if Path(cell.file).stem not in UNETS)
    best = next(cell for cell in light if cell.target == result.better)
    ratios = ", ".join(f"{ratio_text(r)} as {Path(r.reference).stem}" for r in best.ratios)
    print(
        f"better of float ({result.float_best}) and int8 ({result.int8_best}) on this host: {result.better}; {ratios}"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
