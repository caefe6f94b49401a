"""Work on Ray: in order, whole though workers die, and one clear error where it cannot be."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from edgeseg.cli.main import app
from edgeseg.errors import DatasetError, MissingExtraError, OptionError, OutputError
from edgeseg.workers.ray_tasks import connected, in_order
from tests._ray import FakeRay

ROOT = Path(__file__).resolve().parents[2]
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the ray extra is not installed")


def _squared(folder: Path, item: int) -> int:
    """Die the first time that item 3 is asked for, where a folder says so."""
    mark = folder / "died"
    if item == 3 and folder.is_dir() and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item * item


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    ray = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray


def test_answers_come_in_the_order_of_the_items(fake: FakeRay) -> None:
    found = list(in_order(_squared, Path("nowhere"), range(50), cpus=2, purpose="a test"))
    assert found == [item * item for item in range(50)]
    assert fake.shares == {"num_cpus": 2, "max_retries": 4}
    assert not fake.up


def test_what_ray_prints_is_no_result(fake: FakeRay, capsys: pytest.CaptureFixture[str]) -> None:
    with connected("a test"):
        sys.stdout.write("a worker died")
    assert (capsys.readouterr().out, fake.up) == ("", False)


def test_errors_are_the_functions_own_and_those_of_ray_are_told(fake: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_job: None, item: int) -> int:
        raise (DatasetError("no such patient") if item else fake.exceptions.RayError("the worker died"))

    with pytest.raises(DatasetError, match="no such patient"):
        list(in_order(fail, None, [1], purpose="a test"))
    with pytest.raises(OutputError, match=r"died 5 times over one piece of work \(the worker died\)"):
        list(in_order(fail, None, [0], purpose="a test"))
    with pytest.raises(OptionError, match="8 threads were asked for and the largest host of Ray has 4"):
        list(in_order(fail, None, [0], cpus=8, purpose="a test"))
    assert not fake.up
    fake.broken = True
    with pytest.raises(OptionError, match=r"the cluster at head:6379 .*RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN"):
        list(in_order(fail, None, [0], purpose="a test", address="head:6379"))
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"a test needs 'ray'.*edgeseg\[ray\]"):
        list(in_order(fail, None, [0], purpose="a test"))


def test_a_look_through_a_data_set_finds_the_same(
    fake: FakeRay, script: Callable[[Path], ModuleType], tmp_path: Path
) -> None:
    own, root = script(ROOT / "tools" / "own_data.py"), tmp_path / "set"
    own.main(["nnunet", str(root), "--patients", "3"])
    (root / "imagesTr" / "case_001_0001.nii.gz").unlink()
    for channel in ("0000", "0001"):
        copy = (root / "imagesTr" / f"case_000_{channel}.nii.gz").read_bytes()
        (root / "imagesTr" / f"case_002_{channel}.nii.gz").write_bytes(copy)
    own.write_nifti(root / "labelsTr" / "case_002.nii.gz", np.zeros((8, 64, 64), np.uint8))
    here, there = (CliRunner().invoke(app, ["data", "verify", str(root), "--json", *more]) for more in ((), ("--ray",)))
    assert (here.exit_code, there.exit_code) == (1, 1)
    kinds = [finding["kind"] for finding in json.loads(here.stdout)["findings"]]
    assert kinds == ["unreadable-patient", "no-tumour", *["duplicate-slice"] * 8]
    assert there.stdout == here.stdout


@pytest.mark.parametrize(
    ("given", "variable", "joined"),
    [
        ("10.0.0.1:6379", None, {"address": "10.0.0.1:6379"}),
        ("10.0.0.1:6379", "10.9.9.9:1", {"address": "10.0.0.1:6379"}),
        ("local", "10.9.9.9:1", {"address": "local", "include_dashboard": False}),
        (None, "10.9.9.9:1", {"address": "10.9.9.9:1"}),
        (None, None, {"include_dashboard": False}),
    ],
    ids=["address", "before the variable", "this machine", "variable", "nothing"],
)
def test_which_cluster_is_joined(
    fake: FakeRay,
    monkeypatch: pytest.MonkeyPatch,
    given: str | None,
    variable: str | None,
    joined: dict[str, Any],
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(fake, "init", lambda **options: told.append(options))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if variable is not None:
        monkeypatch.setenv("RAY_ADDRESS", variable)
    with connected("a test", address=given):
        pass
    (options,) = told
    assert {name: value for name, value in options.items() if name in ("address", "include_dashboard")} == joined


def test_an_item_that_is_lost_has_an_answer_where_the_caller_gives_one(fake: FakeRay) -> None:
    def fail(_job: None, item: int) -> int:
        if item == 1:
            raise fake.exceptions.RayError("the worker died")
        return item

    assert list(in_order(fail, None, iter(range(3)), purpose="a test", lost=lambda: -1)) == [0, -1, 2]


@needs_ray
def test_nothing_is_lost_when_a_worker_is_killed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with connected("a test"):
        found = list(in_order(_squared, tmp_path, range(8), purpose="a test"))
    assert found == [item * item for item in range(8)]
    assert (tmp_path / "died").exists()
    assert capfd.readouterr().out == ""
