from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeseg.errors import DatasetError, LimitError
from edgeseg.workers.apart import Limits, Pool, memory, process

ENTRY = """
    import os, time
    from edgeseg.workers.apart import Inside, Limits, listen

    def handlers(inside):
        def begin(message):
            inside.begin(Limits(**message["limits"]))
            return {}

        def grow(message):
            try:
                return {"size": len(bytearray(message["size"]))}
            except MemoryError as error:
                raise ValueError("it grew") from error

        def spin(message):
            while True:
                pass

        return {
            "begin": begin,
            "grow": grow,
            "spin": spin,
            "sleep": lambda message: time.sleep(60) or {},
            "crash": lambda message: os.abort(),
            "raise": lambda message: {}["nothing"],
            "read": lambda message: {"bytes": os.pread(inside.memory, 3, 0).decode()},
            "secrets": lambda message: {"token": os.environ.get("EDGESEG_TOKEN"), "folder": os.getcwd()},
            "end": lambda message: {},
        }

    if __name__ == "__main__":
        listen(handlers)
"""
LIMITS = {"memory_bytes": 100 << 20, "cpu_s": 1.0, "output_bytes": 1 << 20}
ENDLESS: dict[str, Any] = {"seconds": 60.0, "left": lambda: float("inf")}


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    (tmp_path / "entry_of_a_test.py").write_text(textwrap.dedent(ENTRY))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("EDGESEG_TOKEN", "secret")
    with Pool("entry_of_a_test", spare=0) as made:
        yield made


def test_arrays_go_both_ways(pool: Pool) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    with pool.lend() as one:
        memory.put_array(one.memory, array)
        np.testing.assert_array_equal(memory.take_array(one.memory, (2, 4, 3)), array)
        memory.put(one.memory, b"abc")
        assert one.ask({"op": "read"}, **ENDLESS) == {"bytes": "abc"}
        with pytest.raises(EOFError):
            memory.take(one.memory, 0, 100)


def test_what_is_settled_goes_back_and_what_is_not_is_replaced(pool: Pool) -> None:
    with pool.lend() as one:
        one.ask({"op": "read"}, **ENDLESS)
        one.settle({"op": "end"})
    with pool.lend() as again:
        assert again is one
        again.ask({"op": "read"}, **ENDLESS)
    with pool.lend() as another:
        assert another is not one
    assert not one.alive


def test_what_grows_is_told(pool: Pool) -> None:
    with pool.lend() as one:
        one.ask({"op": "begin", "limits": LIMITS}, **ENDLESS)
        assert one.ask({"op": "grow", "size": 50 << 20}, **ENDLESS) == {"size": 50 << 20}
        told = one.ask({"op": "grow", "size": 1 << 32}, **ENDLESS)
    assert told["error"] == "LimitError"
    assert "100 MB" in told["text"]


@pytest.mark.skipif(sys.platform != "linux", reason="macOS ends such a process with another signal")
def test_what_spins_ends_by_its_own_limit(pool: Pool) -> None:
    with pool.lend() as one:
        one.ask({"op": "begin", "limits": LIMITS}, **ENDLESS)
        with pytest.raises(LimitError, match="longer"):
            one.ask({"op": "spin"}, **ENDLESS)
        assert not one.alive


def test_what_sleeps_is_killed_when_time_is_over_or_brought_forward(pool: Pool) -> None:
    forms: tuple[tuple[float, Callable[[], float]], ...] = ((0.2, lambda: float("inf")), (60.0, lambda: 0.0))
    for seconds, left in forms:
        with pool.lend() as one:
            one.ask({"op": "end"}, **ENDLESS)
            with pytest.raises(LimitError, match="longer"):
                one.ask({"op": "sleep"}, seconds=seconds, left=left)
            assert not one.alive


def test_a_crash_is_told(pool: Pool) -> None:
    with pool.lend() as one, pytest.raises(DatasetError, match="without an answer"):
        one.ask({"op": "crash"}, **ENDLESS)


def test_a_fault_tells_its_kind_alone(pool: Pool) -> None:
    with pool.lend() as one:
        assert one.ask({"op": "raise"}, **ENDLESS) == {"error": "", "text": "KeyError", "status": None}


def test_no_secret_of_ours_is_passed_on(pool: Pool) -> None:
    with pool.lend() as one:
        assert one.ask({"op": "secrets"}, **ENDLESS)["token"] is None


def test_more_bytes_may_take_more() -> None:
    small, large = (Limits.for_input(size, output_bytes=1) for size in (1000, 32 << 20))
    assert small.memory_bytes < large.memory_bytes < 400 << 20
    assert small.cpu_s < large.cpu_s
    assert process.START_S > 10
