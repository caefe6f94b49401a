"""The rules of the house that no linter knows: sizes, no pickle, floors, and that nothing was forgotten."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeseg.cli import main as cli

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "edgeseg"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40
UNSAFE = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))


def _tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(), filename=str(module))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body; its signature and its docstring are not counted."""
    documented = ast.get_docstring(function) is not None
    start = function.body[1].lineno if documented and len(function.body) > 1 else function.body[0].lineno
    return (function.end_lineno or start) - start + 1


@each_module
def test_a_module_stays_small(module: Path) -> None:
    lines = len(module.read_text().splitlines())
    assert lines <= MAX_MODULE_LINES, f"{lines} lines; split it by what it does"


@each_module
def test_functions_stay_small(module: Path) -> None:
    functions = [node for node in ast.walk(_tree(module)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f.name: lines for f in functions if (lines := _body_lines(f)) > MAX_FUNCTION_LINES}
    assert long == {}


@each_module
def test_nothing_unpickles(module: Path) -> None:
    tree = _tree(module)
    assert {name.partition(".")[0] for name in _imports(tree)} & UNSAFE == set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"np.load", "numpy.load"}:
            told = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert told.get("allow_pickle") == "False", f"line {node.lineno}: np.load without allow_pickle=False"


@each_module
def test_annotations_are_not_evaluated_at_import(module: Path) -> None:
    tree = _tree(module)
    if any(not isinstance(node, ast.Expr) for node in tree.body):
        assert "__future__" in set(_imports(tree))


def test_floors_hold() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_file_of_the_command_line_is_registered() -> None:
    files = {path.stem for path in (PACKAGE / "cli").glob("[!_]*.py")} - {"main"}
    registered = {name for names in cli.PANELS.values() for name in names}
    assert files == registered


def test_tests_mirror_the_package() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    assert [str(folder) for folder in folders - {Path("hostile")} if not (PACKAGE / folder).is_dir()] == []
    stray = [path for path in (ROOT / "tests").rglob("*.py") if not path.name.startswith(("test_", "conftest"))]
    assert [str(path.relative_to(ROOT)) for path in stray if not path.stem.startswith("_")] == []


def test_the_readme_is_short_and_leads_to_every_command() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) < 120
    assert "docs/reference/commands.md" in readme
    commands = (ROOT / "docs" / "reference" / "commands.md").read_text()
    assert [name for names in cli.PANELS.values() for name in names if f"## `edgeseg {name}`" not in commands] == []


def test_pre_commit_runs_what_make_test_runs() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    recipes = [line.strip() for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("\t$(BIN)/")]
    checks = [line.replace("$(BIN)", ".venv/bin") for line in recipes if "--fix" not in line and "edgeseg" not in line]
    checks = [line for line in checks if line != ".venv/bin/ruff format ."]
    assert len(checks) == 5
    assert [line for line in checks if f"entry: {line}\n" not in hooks] == []
