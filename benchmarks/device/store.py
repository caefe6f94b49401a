"""What running an artifact on other processors needs, fetched once into edgeseg's cache with pip, npm and apt-get.

Nothing is installed and no root is needed: .deb files and wheels are unpacked into a folder of their own.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeseg import artifacts
from edgeseg.errors import ArtifactError, OptionError
from edgeseg.place import cache_dir

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
WEB = "onnxruntime-web@1.30.0"
WHEELS = ("numpy", "onnxruntime", "ai-edge-litert")
TOOLS = {
    "qemu-aarch64": "qemu-user",
    "qemu-x86_64": "qemu-user",
    "node": "nodejs",
    "npm": "npm",
    "gcc": "gcc",
    "apt-get": "apt",
    "apt-cache": "apt",
    "dpkg-deb": "dpkg",
}
"""Programs that must be there, with the Debian package that brings each."""
_GLIBC = ("2_17", "2_27", "2_28", "2_31", "2_34", "2_35", "2_36")
_CLOSURE = ("--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances")
_NEEDED = re.compile(r"(?!libperl)(lib|zlib|python3)[\w.+-]*$")
_TIMEOUT_S = 1200

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where everything is: an Arm root folder, packages for its Python, onnxruntime-web, and the counting plugin."""

    sysroot: Path
    python: Path
    packages: Path
    web: Path
    plugin: Path


def check_tools() -> None:
    """Refuse to start without the programs that emulate, fetch and compile.

    Raises:
        OptionError: with the packages that bring what is missing, or when this is not Linux on x86-64.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise OptionError(
            f"this is {platform.system()} on {platform.machine()}; the emulators and packages used here are those of "
            "Debian or Ubuntu on x86-64"
        )
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        packages = sorted({TOOLS[tool] for tool in missing})
        raise OptionError(
            f"not found on this machine: {', '.join(missing)}; on Debian and Ubuntu: sudo apt-get install "
            f"{' '.join(packages)}"
        )


def fetch(say: Say) -> Store:
    """Bring what is not there yet; about 200 MB are unpacked, 80 MB downloaded.

    Raises:
        ArtifactError: when a download or the compiler fails, as it does without a network.
    """
    folder = cache_dir() / "device"
    sysroot = _made(folder / "sysroot", _unpack_debian, say, "an Arm root folder (apt-get)")
    python = _python(sysroot)
    pins = locked(LOCK.read_text(), WHEELS)
    key = "-".join(re.findall(r"==(\S+)", pins))
    packages = _made(
        folder / f"{python.name}-{key}", lambda place: _wheels(place, python.name, pins), say, "Arm wheels (pip)"
    )
    web = _made(folder / WEB, _web, say, f"{WEB} (npm)")
    plugin = _made(folder / f"plugin-{_plugin_api()}-{_source_key()}", _compile, say, "the counting plugin (gcc)")
    return Store(
        sysroot=sysroot,
        python=python,
        packages=packages,
        web=web / "node_modules" / "onnxruntime-web",
        plugin=plugin / "count.so",
    )


def locked(lock: str, names: Sequence[str]) -> str:
    """Cut the pins of some packages, with their hashes, out of a lock file.

    Raises:
        OptionError: for a name that the lock lacks.
    """
    blocks = re.split(r"\n(?=\S)", lock)
    found = []
    for name in names:
        block = next((b for b in blocks if b.startswith(f"{name}==")), None)
        if block is None:
            raise OptionError(f"requirements.lock has no line for {name}; write it again with: make lock")
        found.append(block.rstrip())
    return "\n".join(found) + "\n"


def call(command: Sequence[str | Path], *, what: str, cwd: Path | None = None, **extra: str) -> str:
    """Run a program, its output kept; `extra` goes into its environment.

    Raises:
        ArtifactError: when it fails or takes too long, with its last line.
    """
    try:
        ended = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            cwd=cwd,
            env=os.environ | extra,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(f"{what} took longer than {_TIMEOUT_S} s; try again when the machine is idle") from error
    if ended.returncode:
        lines = [line for line in ended.stderr.splitlines() if line.strip()] or [f"exit code {ended.returncode}"]
        raise ArtifactError(
            f"{what} failed: {lines[-1].strip()[:300]} (from {Path(str(command[0])).name}); fetching needs a network, "
            "and 'edgeseg/device' in the cache folder may be deleted to start again"
        )
    return ended.stdout + ended.stderr


def _made(place: Path, make: Callable[[Path], None], say: Say, what: str) -> Path:
    """Make a folder once, whole or not at all."""
    if place.is_dir():
        return place
    say(f"fetching {what}")
    partial = place.with_name(f".{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    artifacts.make_dir(partial)
    make(partial)
    partial.rename(place)
    return place


def _unpack_debian(place: Path) -> None:
    """Unpack the arm64 packages of this release's Python and the libraries it needs."""
    state = place / "apt"
    for name in ("lists/partial", "cache/archives/partial", "debs"):
        artifacts.make_dir(state / name)
    (state / "status").touch()
    options = [
        "-oAPT::Architecture=arm64",
        "-oAPT::Architectures::=arm64",
        f"-oDir::State={state}",
        f"-oDir::State::status={state / 'status'}",
        f"-oDir::Cache={state / 'cache'}",
        "-oAPT::Sandbox::User=root",
    ]
    call(["apt-get", *options, "update"], what="reading the list of arm64 packages")
    told = call(["apt-cache", *options, "depends", "python3"], what="looking for Python")
    versions = re.findall(r"Depends: (python3\.\d+)$", told, re.MULTILINE)
    if not versions:
        raise ArtifactError(
            "the arm64 packages of this system hold no Python 3; add its usual archive to apt's sources"
        )
    told = call(
        ["apt-cache", *options, "depends", "--recurse", *_CLOSURE, versions[0], "libstdc++6"], what="listing packages"
    )
    needed = sorted({line for line in told.splitlines() if _NEEDED.match(line)})
    call(["apt-get", *options, "download", *needed], what="fetching arm64 packages", cwd=state / "debs")
    for package in sorted((state / "debs").glob("*.deb")):
        call(["dpkg-deb", "-x", package, place], what=f"unpacking {package.name}")
    shutil.rmtree(state)


def _python(sysroot: Path) -> Path:
    found = [path for path in sorted((sysroot / "usr/bin").glob("python3.*")) if path.name[8:].isdigit()]
    if not found:
        raise ArtifactError(f"{sysroot} holds no Python; delete the folder and run the command again")
    return found[0]


def _wheels(place: Path, python: str, pins: str) -> None:
    """Unpack the aarch64 wheels of the locked versions, their hashes checked by pip."""
    wanted = artifacts.write_text(place / "pins.txt", pins)
    platforms = [part for glibc in _GLIBC for part in ("--platform", f"manylinux_{glibc}_aarch64")]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *platforms]
    command += ["--python-version", python.removeprefix("python"), "--require-hashes", "-r", wanted, "-d", place]
    call(command, what="fetching aarch64 wheels")
    for wheel in sorted(place.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place)
        wheel.unlink()


def _web(place: Path) -> None:
    artifacts.write_text(place / "package.json", '{"private": true}\n')
    call(["npm", "install", "--no-save", "--ignore-scripts", "--silent", WEB], what=f"fetching {WEB}", cwd=place)


def qemu_version() -> str:
    """Return qemu's version, such as `7.2.22`."""
    told = call(["qemu-aarch64", "--version"], what="asking qemu for its version")
    found = re.search(r"version (\d+(?:\.\d+)+)", told)
    return found[1] if found else "unknown"


def _plugin_api() -> int:
    return 2 if int(qemu_version().partition(".")[0]) >= 9 else 1


def _source_key() -> str:
    return artifacts.sha256_file(Path(__file__).with_name("count.c"))[:8]


def _compile(place: Path) -> None:
    command = ["gcc", "-O2", "-shared", "-fPIC", f"-DPLUGIN_API={_plugin_api()}", "-o", place / "count.so"]
    call([*command, Path(__file__).with_name("count.c")], what="compiling the counting plugin")
