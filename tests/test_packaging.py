"""What an installation holds: the declared dependencies, the lock files and the wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import edgeseg

ROOT = Path(__file__).resolve().parents[1]
LOCK, RUN_LOCK = ROOT / "requirements.lock", ROOT / "requirements-run.lock"
SERVE_LOCK, NODE_LOCK = ROOT / "requirements-serve.lock", ROOT / "requirements-node.lock"
_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[\w.]+)(?: ; (?P<marker>.+?))? \\$")
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The `[project]` table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built by the back end that the lock brings; no network."""
    out = tmp_path_factory.mktemp("wheel")
    code = "import sys, hatchling.build; hatchling.build.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(out)], cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = out.glob("*.whl")
    return built


def _names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def _pins(lock: Path) -> dict[str, set[str]]:
    """Every name in a lock with its lines `version ; marker`."""
    pins: dict[str, set[str]] = {}
    for line in lock.read_text().splitlines():
        if found := _PIN.match(line):
            pins.setdefault(found["name"], set()).add(f"{found['version']} ; {found['marker']}")
    return pins


def test_the_base_install_holds_four_packages(project: dict[str, Any]) -> None:
    assert _names(project["dependencies"]) == {"numpy", "onnxruntime", "pillow", "typer"}


def test_python_range_and_classifiers_agree(project: dict[str, Any]) -> None:
    assert project["requires-python"] == ">=3.11,<3.14"
    versions = [line.rsplit(" ", 1)[1] for line in project["classifiers"] if "Python :: 3." in line]
    assert versions == ["3.11", "3.12", "3.13"]


def test_the_wheel_is_tried_on_every_supported_python(
    script: Callable[[Path], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = script(ROOT / "tools" / "test_wheel.py")
    assert tool.supported() == ("3.11", "3.12", "3.13")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert tool.interpreter(f"{sys.version_info.major}.{sys.version_info.minor}") == Path(sys.executable)
    assert tool.interpreter("3.99") is None


@pytest.mark.parametrize("lock", [LOCK, RUN_LOCK, SERVE_LOCK, NODE_LOCK], ids=lambda path: path.name)
def test_a_lock_holds_exact_versions_and_hashes_and_no_addresses(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    odd = [line for line in lines if not _PIN.match(line) and not _HASH.match(line)]
    assert odd == []
    unhashed = [
        line for line, after in zip(lines, [*lines[1:], ""], strict=True) if _PIN.match(line) and not _HASH.match(after)
    ]
    assert unhashed == []


def test_the_lock_of_the_page_holds_no_addresses() -> None:
    lock = (ROOT / "web" / "package-lock.json").read_text()
    assert "://" not in lock, "leave out what npm adds as 'resolved' and 'funding'"
    assert '"integrity": "sha512-' in lock


def test_the_lock_covers_what_is_declared(project: dict[str, Any]) -> None:
    extras = project["optional-dependencies"]
    declared = _names([*project["dependencies"], *extras["build"], *extras["dev"]])
    assert declared - set(_pins(LOCK)) == set()


def test_the_lock_lies_in_the_declared_ranges(project: dict[str, Any]) -> None:
    extras = project["optional-dependencies"]
    outside = []
    pins = _pins(LOCK)
    for line in [*project["dependencies"], *extras["build"], *extras["dev"]]:
        wanted = Requirement(line)
        versions = [pin.split(" ; ")[0] for pin in pins[canonicalize_name(wanted.name)]]
        outside += [f"{line}: {version}" for version in versions if not wanted.specifier.contains(version)]
    assert outside == []


def _widely(pins: dict[str, set[str]], part: dict[str, set[str]]) -> dict[str, set[str]]:
    """The pins of a part as the whole lock has them; what the whole asks for everywhere, a part may for somewhere."""
    everywhere = {name: {f"{pin.split(' ; ')[0]} ; None" for pin in found} for name, found in part.items()}
    return {name: part[name] if pins.get(name) == everywhere[name] else pins.get(name, set()) for name in part}


def test_the_run_lock_is_the_base_part_of_the_lock(project: dict[str, Any]) -> None:
    pins, run_pins = _pins(LOCK), _pins(RUN_LOCK)
    assert _names(project["dependencies"]) <= set(run_pins)
    assert _widely(pins, run_pins) == run_pins
    assert set(run_pins).isdisjoint(_names(project["optional-dependencies"]["build"]))


def test_the_lock_of_the_service_is_a_part_of_the_lock_and_holds_that_of_the_runner(project: dict[str, Any]) -> None:
    pins, run_pins, serve_pins = _pins(LOCK), _pins(RUN_LOCK), _pins(SERVE_LOCK)
    extras = project["optional-dependencies"]
    assert _names([*extras["serve"], *extras["nifti"], *extras["dicom"]]) <= set(serve_pins)
    assert {name: serve_pins.get(name) for name in run_pins} == run_pins
    assert _widely(pins, serve_pins) == serve_pins
    assert set(serve_pins).isdisjoint(_names(extras["build"]))


def test_the_wheel_carries_models_calibration_and_licences(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("models", "calibration"):
        tracked = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert tracked, folder
        assert {f"edgeseg/_shipped/{path.as_posix()}" for path in tracked} - names == set()
    package = [path for path in (ROOT / "edgeseg").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {path.relative_to(ROOT).as_posix() for path in package} - names == set()
    assert "edgeseg/py.typed" in names
    assert [name for name in names if name.endswith("licenses/models/LICENSE")]
    assert [name for name in names if name.startswith(("tests/", "models/", "calibration/"))] == []


def test_an_installed_wheel_finds_its_defaults_and_runs(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from edgeseg import artifacts\n"
        "from edgeseg.cli.main import main\n"
        "print(artifacts.shipped('models', 'LICENSE'))\n"
        "main(['--version'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    place, version = ended.stdout.splitlines()
    assert Path(place) == tmp_path / "edgeseg" / "_shipped" / "models" / "LICENSE"
    assert Path(place).is_file()
    assert version == f"edgeseg {edgeseg.__version__}"


_BASE_ONLY = """
import importlib.machinery, sys

find = importlib.machinery.PathFinder.find_spec
class Present:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name.partition(".")[0] in {absent!r} else find(name, path, target)
sys.meta_path = [Present if one is importlib.machinery.PathFinder else one for one in sys.meta_path]
sys.path.insert(0, {place!r})
from edgeseg.cli.main import main
for command in {commands!r}:
    try:
        main(command.split())
    except SystemExit as ended:
        print("CODE", command, ended.code)
"""


def test_the_base_install_runs_networks_by_name_from_a_wheel(wheel: Path, tmp_path: Path) -> None:
    """The wheel, unpacked, where nothing is installed but what it asks for; nothing is written into it."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "place")
    before = {path for path in (tmp_path / "place").rglob("*") if "__pycache__" not in path.parts}
    shutil.copyfile(ROOT / "tests/golden/PHANTOM_PA_2000_26.png", tmp_path / "one_1.png")
    absent = ("onnx", "tensorflow", "keras", "tf_keras", "safetensors", "h5py", "scipy", "ai_edge_litert", "jinja2")
    commands = (
        "networks",
        "variants",
        "doctor light/onnx-fp32",
        "doctor tiny/onnx-int8",
        "inspect small",
        "contract show small",
        "run micro one_1.png --out masks",
        "build --network small --target onnx-int8 --out build",
    )
    code = _BASE_ONLY.format(absent=absent, place=str(tmp_path / "place"), commands=commands)
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
    )
    codes = [line for line in ended.stdout.splitlines() if line.startswith("CODE")]
    assert codes == [f"CODE {command} {2 if command.startswith('build') else 0}" for command in commands], ended.stderr
    assert "pip install 'edgeseg[build]'" in ended.stderr
    assert "network        small (alphax-0.125-half-w66e3c5)" in ended.stdout
    assert list((tmp_path / "masks").rglob("*_mask.png"))
    assert {path for path in (tmp_path / "place").rglob("*") if "__pycache__" not in path.parts} == before


def test_the_wheel_is_small_enough_to_send(wheel: Path) -> None:
    assert wheel.stat().st_size < 20 << 20


def test_the_changelog_names_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert edgeseg.__version__ in headings


def test_the_entry_point_is_the_command_line(project: dict[str, Any]) -> None:
    assert project["scripts"] == {"edgeseg": "edgeseg.__main__:main"}
