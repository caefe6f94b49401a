"""Build somebody else's networks and say what it cost them: written to docs/measured/foreign.md.

    python benchmarks/foreign/study.py --data DIR --networks DIR --out DIR

DIR of the networks is what `torch_nets.py` and `keras_nets.py` left. Each is built by the command that a user would
type, on the patients that trained none of them; two of these calibrate and are not scored. What loses more than
`BUDGET` of mean Dice is built once more with `--max-drop`. A build that is there already is taken as it is.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import common
from cost import TARGETS, Cost, own_and_foreign, remembered

from edgeseg.artifacts import read_build
from edgeseg.reports.table import markdown_table_lines
from edgeseg.reports.words import ABSENT, size_text
from edgeseg.results import ArtifactRow, BuildResult

PAGE = Path(__file__).resolve().parents[2] / "docs" / "measured" / "foreign.md"
CONTRACTS = Path(__file__).resolve().parent / "contracts"
SUFFIXES = (".onnx", ".keras", ".h5", ".hdf5")
BUDGET = 0.005
FEW = {"study": 4}
"""Networks so slow that only so many patients are taken, those with the fewest slices."""
HEAD = ("Network", "Image", "Steps", "Original", "Dice", "Target", "Size", "Dice", "Flipped", "Latency", "In float")
COST_HEAD = ("Network", "File", "On the clock", "User time", "Most memory")
OWN_HEAD = ("Network", "Own, clock", "Own, user", "From its file, clock", "From its file, user", "User time")
BUDGET_HEAD = ("Network", "Target", "Taken", "Tried", "Size", "Lost, confirmed on", "At most", "Holds")


def main() -> None:
    """Build all that is there and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--networks", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("names", nargs="*", help="file names; all, and the page, if none is given")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    rows: list[list[str]] = []
    costs: list[list[str]] = []
    searches: list[list[str]] = []
    here = ""
    for file in sorted(given.networks.iterdir()):
        if file.suffix not in SUFFIXES or (given.names and file.name not in given.names):
            continue
        held = _held_out(given.data, given.out, FEW.get(file.stem))
        cost, found = _build(file, held, given.out / file.stem)
        print(f"{file.name}: {cost.seconds:.0f} s, exit code {cost.exit_code}", flush=True)
        costs.append([*_titled(file), f"{cost.seconds:.0f} s", f"{cost.user_s:.0f} s", size_text(cost.peak_bytes)])
        if found is None:
            continue
        rows += _rows(file, found)
        here = f"{found.environment.cpu}, {found.environment.cores} cores, 2 threads"
        for target in _losing(found):
            searches += _search(file, held, given.out / f"{file.stem}-within", target)
    if not given.names:
        own = own_and_foreign(_held_out(given.data, given.out, None), given.out / "own")
        PAGE.write_text(_page(rows, costs, own, searches, here))


def _held_out(data: Path, out: Path, few: int | None) -> Path:
    """Copy patients who trained nothing into a folder of their own."""
    folders = common.patients(data)[1]
    if few is not None:
        folders = sorted(folders, key=lambda folder: (len(list(folder.iterdir())), folder.name))[:few]
    into = out / ("held-out" if few is None else f"held-out-{few}")
    for folder in folders:
        if not (into / folder.name).is_dir():
            shutil.copytree(folder, into / folder.name)
    return into


def _asked(file: Path, held: Path, out: Path) -> list[str | Path]:
    contract = CONTRACTS / f"{file.stem}.toml"
    asked: list[str | Path] = ["build", "--from", file, "--data", held, "--out", out, "--bench-budget-s", "3"]
    return asked + (["--contract", contract] if contract.is_file() else [])


def _build(file: Path, held: Path, out: Path) -> tuple[Cost, BuildResult | None]:
    cost = remembered(out.with_suffix(".json"), *_asked(file, held, out), "--target", ",".join(TARGETS))
    return cost, read_build(out) if (out / "build.json").is_file() else None


def _search(file: Path, held: Path, out: Path, target: str) -> list[list[str]]:
    """Search what stays within the budget, and return the rows of it."""
    out = out.with_name(f"{out.name}-{target}")
    remembered(out.with_suffix(".json"), *_asked(file, held, out), "--target", target, "--max-drop", str(BUDGET))
    if not (out / "build.json").is_file():
        return []
    build = read_build(out)
    sizes = {row.target: size_text(row.size_bytes) for row in build.artifacts}
    rows = []
    for found in build.budgets:
        lost = found.confirmation
        row = [file.name, found.target, found.chosen, str(len(found.tried)), sizes[found.target]]
        rows.append([*row, f"{lost.mean:.4f}", f"{lost.bound:.4f}", "yes" if found.confirmed else "no"])
    return rows


def _losing(build: BuildResult) -> list[str]:
    """The int8 targets that lose more mean Dice than the budget."""
    base = build.baseline
    if base is None or base.evaluation is None:
        return []
    before = base.evaluation.dice.mean
    scored = [row for row in build.artifacts if row.target in TARGETS and row.evaluation is not None]
    return [row.target for row in scored if row.evaluation and before - row.evaluation.dice.mean > BUDGET]


def _titled(file: Path) -> list[str]:
    beside = file.with_name(file.name + ".data")
    return [file.name, size_text(file.stat().st_size + (beside.stat().st_size if beside.is_file() else 0))]


def _rows(file: Path, build: BuildResult) -> list[list[str]]:
    base = build.baseline
    assert base is not None
    scored = ABSENT if base.evaluation is None else f"{base.evaluation.dice.mean:.3f}"
    trained = json.loads(file.with_name(f"{file.stem}.trained.json").read_text())
    first = [file.name, str(trained["side"]), str(trained["steps"]), size_text(base.size_bytes), scored]
    found = []
    for row in build.artifacts:
        if row.target in TARGETS:
            found.append([*first, *_cells(row, build)])
            first = [""] * len(first)
    return found


def _cells(row: ArtifactRow, build: BuildResult) -> list[str]:
    if row.evaluation is None or row.parity is None:
        return [row.target, ABSENT, ABSENT, ABSENT, ABSENT, row.status]
    base = build.baseline
    slow = None if base is None or base.latency is None else base.latency.latency_ms_p50
    speed = ABSENT if slow is None or row.latency is None else f"x {row.latency.latency_ms_p50 / slow:.2f}"
    kept = row.float_layers
    return [
        row.target,
        size_text(row.size_bytes),
        f"{row.evaluation.dice.mean:.3f}",
        f"{row.parity.flips_ppm:.0f} ppm" + ("" if row.parity.passed else ", too many"),
        speed,
        f"{len(kept)} layers" if kept else "none",
    ]


def _page(
    rows: list[list[str]], costs: list[list[str]], own: list[list[str]], searches: list[list[str]], here: str
) -> str:
    sections = [
        "# Networks of others",
        "",
        "This page says what int8 costs networks that edgeseg did not make.",
        "",
        "Size and Dice of the file that was given, in its own runtime, against those of the two int8 files built "
        "from it with default calibration; pixels that change sides against it; the latency as a share of the "
        "original's; and how many layers stay in float for want of an integer kernel.",
        "",
        "Each was trained for a minute or some minutes of processor time, with weights drawn at random: the Dice says "
        "what int8 keeps, not what such a network can do. Scored on every fifth patient, who trained none of them, but "
        "for two who lent slices to calibration; the study's network, of which a slice takes a second, on two "
        "patients, and not for its Dice: after so few steps it finds nothing, and its flipped pixels say nothing.",
        "",
        f"{here}, beside other work: latencies and seconds on the clock are rough. Written by "
        "`benchmarks/foreign/study.py` from what `torch_nets.py` and `keras_nets.py` trained.",
        "",
        *markdown_table_lines(HEAD, rows),
        "",
        *_within(searches),
        "## What a build costs",
        "",
        "Import, calibration, both conversions, verification, scores and latencies, as above.",
        "",
        *markdown_table_lines(COST_HEAD, costs),
        "",
        "The same network, patients and baseline, once as a run of `edgeseg train` and once as the Keras file of that "
        "build: the goal is no more than 1.2 times the user time.",
        "",
        *markdown_table_lines(OWN_HEAD, own),
        "",
    ]
    return "\n".join(sections)


def _within(searches: list[list[str]]) -> list[str]:
    if not searches:
        return []
    return [
        f"What loses more than {BUDGET} of mean Dice, once more with `--max-drop {BUDGET}`:",
        "",
        *markdown_table_lines(BUDGET_HEAD, searches),
        "",
    ]


if __name__ == "__main__":
    main()
