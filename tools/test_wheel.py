"""Build the sdist, from it the wheel, and use the base install of it on every Python that edgeseg supports.

    python tools/test_wheel.py             on those of this machine; the others are named as absent
    python tools/test_wheel.py 3.12        on these alone

For each: a fresh virtual environment, the wheel with what it asks for, and what a newcomer does first: `--version`,
`networks`, `run micro SLICE` and `doctor micro`. It is what `make test-wheel` runs; packages come from the index that
pip is set up with.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from PIL import Image

from edgeseg.data.phantom import phantom_volume

ROOT = Path(__file__).resolve().parents[1]
MOST_SECONDS = 600


def supported() -> tuple[str, ...]:
    """The versions of Python that pyproject.toml names, such as `3.11`."""
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    return tuple(line.rsplit(" ", 1)[1] for line in lines if "Python :: 3." in line)


def interpreter(version: str) -> Path | None:
    """Return a Python of a version that is here and can make virtual environments: on the path, or pyenv's."""
    on_path = shutil.which(f"python{version}")
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    kept = sorted((root / "versions").glob(f"{version}.*/bin/python"))
    for found in (*([Path(on_path)] if on_path else []), *reversed(kept), Path(sys.executable)):
        told = _asked([str(found), "-c", "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"])
        if told == version:
            return found
    return None


def _asked(command: list[str]) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""


def built(folder: Path) -> Path:
    """Build the sdist, and the wheel from what it unpacks to; returns the wheel."""
    code = "import sys, hatchling.build as b; getattr(b, 'build_' + sys.argv[1])(sys.argv[2])"
    _run([sys.executable, "-c", code, "sdist", str(folder)], ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    shutil.unpack_archive(sdist, folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    _run([sys.executable, "-c", code, "wheel", str(folder)], source)
    (wheel,) = folder.glob("*.whl")
    print(f"{sdist.name}: {sdist.stat().st_size:,} bytes; {wheel.name}: {wheel.stat().st_size:,} bytes")
    return wheel


def used(python: Path, wheel: Path, folder: Path) -> None:
    """Install the wheel for a Python, and do what a newcomer does first."""
    _run([str(python), "-m", "venv", str(folder / "venv")], folder)
    own = folder / "venv" / "bin"
    _run([str(own / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)], folder)
    volume = phantom_volume(0, seed=0)
    Image.fromarray(volume.images[len(volume.images) // 2]).save(folder / "slice.png")
    for words in (
        ("--version",),
        ("networks",),
        ("run", "micro", "slice.png", "--out", "masks"),
        ("doctor", "micro"),
    ):
        _run([str(own / "edgeseg"), *words], folder)
    if not list((folder / "masks").rglob("*.png")):
        raise SystemExit("edgeseg run micro left no mask")


def _run(command: list[str], folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
    )
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")


def main() -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="*", metavar="VERSION", help="such as 3.12; every one that is supported")
    given = parser.parse_args().versions
    if unknown := sorted({*given} - {*supported()}):
        parser.error(f"edgeseg does not support Python {unknown[0]}; choose among {', '.join(supported())}")
    absent = []
    with tempfile.TemporaryDirectory() as folder:
        wheel = built(Path(folder))
        for version in given or supported():
            if (python := interpreter(version)) is None:
                absent.append(version)
                continue
            place, start = Path(folder) / version, time.monotonic()
            place.mkdir()
            used(python, wheel, place)
            print(f"Python {version}: installed, lists, segments and passes its self-test; "
                  f"{time.monotonic() - start:.0f} s ({python})")  # fmt: skip
    for version in absent:
        print(f"NOT TRIED: Python {version}, which is not on this machine", file=sys.stderr)
    return 1 if given and absent else 0


if __name__ == "__main__":
    sys.exit(main())
