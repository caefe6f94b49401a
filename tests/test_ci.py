"""What CI runs of others' is pinned by digest, and gets no credentials that it does not need."""

from __future__ import annotations

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / ".github").rglob("*.y*ml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_actions_of_others_are_pinned_by_digest(path: Path) -> None:
    for used in re.findall(r"^\s*(?:- )?uses:\s*(.+)$", path.read_text(), re.MULTILINE):
        assert used.startswith("./") or re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_checkout_leaves_no_token_behind(path: Path) -> None:
    text = path.read_text()
    checkouts = re.findall(r"uses: actions/checkout@.*\n\s+with:\n(?:\s+.*\n)*?\s+persist-credentials: false\n", text)
    assert len(checkouts) == text.count("actions/checkout@")


def test_a_workflow_may_read_and_nothing_else() -> None:
    for path in (ROOT / ".github" / "workflows").iterdir():
        assert re.search(r"^permissions:\n  contents: read\n", path.read_text(), re.MULTILINE), path


def test_nothing_large_and_nothing_of_patients_is_committed() -> None:
    """What `choose` and `trust` keep of patients lies beside the code where they are run, and once was committed."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    assert files
    assert [
        path for path in files if path.suffix in (".npz", ".npy", ".dcm") or path.is_relative_to(ROOT / "choices")
    ] == []
    assert [path for path in files if path.is_file() and path.stat().st_size > 5 << 20] == []


def test_every_file_of_tests_is_found(pytestconfig: pytest.Config) -> None:
    """pytest skips folders by name; once all tests of one room lay in such a folder, and none of them was run."""
    skipped = pytestconfig.getini("norecursedirs")
    folders = {part for path in (ROOT / "tests").rglob("test_*.py") for part in path.relative_to(ROOT).parts[:-1]}
    assert "build" in folders
    assert [name for name in folders for pattern in skipped if fnmatch(name, pattern)] == []
