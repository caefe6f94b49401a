"""What a command costs, and what it costs to bring a network from outside: the same one as a run and as a file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

KIB = 1024
TARGETS = ("tflite-int8", "onnx-int8")
OWN = {"alphax-light": ["alphax-light"], "unet, a quarter wide": ["unet", "--alpha", "0.25"]}
"""Networks of edgeseg's own to build in both ways, with the options that train them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds on the clock, seconds of all processors in user mode, and the most memory of one process."""

    seconds: float
    user_s: float
    peak_bytes: int
    exit_code: int


def edgeseg(*arguments: str | Path, log: Path) -> Cost:
    """Run `edgeseg` with all that it starts, and write what it says to `log`."""
    started = time.perf_counter()
    with log.open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "edgeseg", *map(str, arguments)], stdout=told, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(
        seconds=time.perf_counter() - started,
        user_s=used.ru_utime,
        peak_bytes=used.ru_maxrss * KIB,
        exit_code=process.returncode,
    )


def remembered(place: Path, *arguments: str | Path) -> Cost:
    """Run `edgeseg` as `edgeseg` does, unless `place` holds what it once cost."""
    if place.is_file():
        return Cost(**json.loads(place.read_text()))
    cost = edgeseg(*arguments, log=place.with_suffix(".log"))
    place.write_text(json.dumps(asdict(cost)) + "\n")
    return cost


def own_and_foreign(data: Path, out: Path) -> list[list[str]]:
    """Build networks as runs of `edgeseg train`, and from the Keras files of these builds; return a row for each.

    The file's contract names who trained it, so that both builds calibrate on and score the same patients; and both
    measure the same file as the baseline.
    """
    rows = []
    for name, options in OWN.items():
        place = out / name.replace(", ", "-").replace(" ", "-")
        place.mkdir(parents=True, exist_ok=True)
        run, file = place / "run", place / "mine.hdf5"
        short = ["--epochs", "1", "--steps-per-epoch", "2", "--validate-every", "1"]
        remembered(place / "train.json", "train", "--variant", *options, "--data", data, "--out", run, *short)
        if not file.is_file():
            made, log = place / "first", place / "first.log"
            edgeseg("build", "--from", run, "--target", "keras-fp32", "--data", data, "--out", made, "--no-r2", log=log)
            shutil.copyfile(next(made.rglob("*keras-fp32.hdf5")), file)
        asked: list[str | Path] = ["--target", ",".join(TARGETS), "--data", data, "--baseline", file]
        asked += ["--bench-budget-s", "3", "--no-r2"]
        own = remembered(place / "own.json", "build", "--from", run, "--out", place / "own", *asked)
        foreign = remembered(place / "foreign.json", "build", "--from", file, "--out", place / "foreign", *asked)
        clocks = [f"{value:.0f} s" for cost in (own, foreign) for value in (cost.seconds, cost.user_s)]
        rows.append([name, *clocks, f"x {foreign.user_s / own.user_s:.2f}"])
    return rows
