"""Build somebody else's networks and say what it cost them: written to docs/measured/foreign.md.

    python benchmarks/foreign/study.py --data DIR --networks DIR --out DIR

DIR of the networks is what `torch_nets.py` and `keras_nets.py` left. Each is built by the command that a user would
type, on the patients that trained none of them; four of these calibrate and are not scored.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

import common

from edgeseg.artifacts import read_build
from edgeseg.reports.table import markdown_table_lines
from edgeseg.reports.words import ABSENT, size_text
from edgeseg.results import ArtifactRow, BuildResult

PAGE = Path(__file__).resolve().parents[2] / "docs" / "measured" / "foreign.md"
CONTRACTS = Path(__file__).resolve().parent / "contracts"
TARGETS = ("tflite-int8", "onnx-int8")
HEAD = ("Network", "File", "Original", "Dice", "Target", "Size", "Dice", "Flipped", "Latency", "In float")


def main() -> None:
    """Build all that is there and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--networks", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("names", nargs="*", help="file names; all if none is given")
    given = parser.parse_args()
    held = _held_out(given.data, given.out / "held-out")
    rows: list[list[str]] = []
    here = ""
    for file in sorted(given.networks.iterdir()):
        if file.suffix not in (".onnx", ".keras", ".h5", ".hdf5") or (given.names and file.name not in given.names):
            continue
        started = time.perf_counter()
        found = _build(file, held, given.out / file.stem)
        seconds = time.perf_counter() - started
        print(f"{file.name}: {seconds:.0f} s", flush=True)
        if found is not None:
            rows += _rows(file, found)
            here = f"{found.environment.cpu}, {found.environment.cores} cores, 2 threads"
    if not given.names:
        PAGE.write_text(_page(rows, here))


def _held_out(data: Path, into: Path) -> Path:
    """Copy the patients who trained nothing into a folder of their own."""
    for folder in common.patients(data)[1]:
        if not (into / folder.name).is_dir():
            shutil.copytree(folder, into / folder.name)
    return into


def _build(file: Path, held: Path, out: Path) -> BuildResult | None:
    contract = CONTRACTS / f"{file.stem.removesuffix('-dynamo')}.toml"
    command = [sys.executable, "-m", "edgeseg", "build", "--from", str(file), "--data", str(held), "--out", str(out)]
    command += ["--target", ",".join(TARGETS), "--bench-budget-s", "3"]
    command += ["--contract", str(contract)] if contract.is_file() else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not (out / "build.json").is_file():
        print(f"{file.name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return read_build(out)


def _rows(file: Path, build: BuildResult) -> list[list[str]]:
    base = build.baseline
    assert base is not None
    scored = ABSENT if base.evaluation is None else f"{base.evaluation.dice.mean:.3f}"
    first = [file.stem, file.suffix.removeprefix("."), size_text(base.size_bytes), scored]
    found = []
    for row in build.artifacts:
        if row.target in TARGETS:
            found.append([*first, *_cells(row, build)])
            first = [""] * 4
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
        f"{row.parity.flips_ppm:.0f} ppm",
        speed,
        f"{len(kept)} layers" if kept else "none",
    ]


def _page(rows: list[list[str]], here: str) -> str:
    return "\n".join(
        (
            "# Networks of others",
            "",
            "This page says what int8 costs networks that edgeseg did not make.",
            "",
            "Size and Dice of the file that was given, in its own runtime, against those of the two int8 files built "
            "from it with default calibration; pixels that change sides against it; the latency as a share of the "
            "original's, measured in one run; and how many layers stay in float for want of an integer kernel.",
            "",
            "Networks of 128 x 128, each trained for about a minute on two cores: the Dice says what int8 keeps, not "
            "what such a network can do. Scored on every fifth patient, who trained none of them, but for those "
            f"who lent slices to calibration. {here}. Written by `benchmarks/foreign/study.py` from what "
            "`torch_nets.py` and `keras_nets.py` trained.",
            "",
            *markdown_table_lines(HEAD, rows),
            "",
        )
    )


if __name__ == "__main__":
    main()
