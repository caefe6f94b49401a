"""How long it takes from nothing to the first mask: a fresh virtual environment, the wheel, one slice.

    python benchmarks/first_mask.py --into docs/start/install.md

builds the wheel of this checkout, installs it with pip into a new virtual environment, with the download of what it
needs, and segments a slice of a phantom there with `edgeseg run light`. Everything is in a scratch folder. Where the
index of packages is far away, or near, the first figure is another: it says most about the network.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

from edgeseg.place import scratch
from edgeseg.reports.table import markdown_table_lines, splice
from edgeseg.stages.environment import environment

ROOT = Path(__file__).resolve().parents[1]
NETWORK, AGAIN = "light", 3
_LEFT_OUT = ("PYTHONPATH", "VIRTUAL_ENV")
_BUILD = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, help="a Markdown file with the markers of a table")
    given = parser.parse_args()
    with scratch("first-mask") as folder:
        table = measure(folder)
    print(table)
    if given.into is not None:
        splice(table, given.into)


def measure(folder: Path) -> str:
    """Take every step once, the run again a few times; returns the table."""
    _run([sys.executable, "-c", _BUILD, str(folder)], cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    started = time.perf_counter()
    venv.create(folder / "venv", with_pip=True)
    made_s = time.perf_counter() - started
    empty, python = _megabytes(folder / "venv"), folder / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir", str(wheel)]
    installed_s = _run(pip, cwd=folder)
    command = [str(folder / "venv" / "bin" / "edgeseg")]
    _run([*command, "data", "phantom", str(folder / "phantom"), "--patients", "1"], cwd=folder)
    slices = [path for path in sorted((folder / "phantom").rglob("*.tif")) if not path.stem.endswith("_mask")]
    one = str(slices[len(slices) // 2])
    first_s, *later = [
        _run([*command, "run", NETWORK, one, "--out", str(folder / f"masks{number}")], cwd=folder)
        for number in range(1 + AGAIN)
    ]
    assert list((folder / "masks0").rglob("*_mask.png")), "no mask was written"
    rows = (
        ("new virtual environment", f"{made_s:.1f} s", f"{empty:.0f} MB on disk"),
        (
            "`pip install` of the wheel, with the download",
            f"{installed_s:.1f} s",
            f"{_megabytes(folder / 'venv') - empty:.0f} MB on disk",
        ),
        (f"`edgeseg run {NETWORK} SLICE --out masks`, the first time", f"{first_s:.1f} s", "one mask"),
        ("the same again", f"{min(later):.1f} s", ""),
        ("all until the first mask", f"{made_s + installed_s + first_s:.1f} s", ""),
    )
    here = environment()
    told = f"The wheel has {wheel.stat().st_size / 1e6:.1f} MB, all networks in it. Measured by "
    told += f"`python benchmarks/first_mask.py` on {here.cpu}, {here.cores} cores, {here.os}, Python {here.python}."
    return "\n".join((*markdown_table_lines(("step", "time", "size"), rows), "", told))


def _run(command: list[str], *, cwd: Path) -> float:
    """Run to the end and return the seconds."""
    kept = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    given = os.environ if command[0] == sys.executable else kept
    started = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, env=dict(given), stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6


if __name__ == "__main__":
    main()
