"""What the verifier of the packed app says of dex files and native libraries."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

APP = Path(__file__).resolve().parents[1] / "android-demo"


@pytest.fixture(scope="module")
def check(script: Callable[[Path], ModuleType]) -> ModuleType:
    return script(APP / "check_apk.py")


def _dex(*items: tuple[int, int]) -> bytes:
    """A dex file that holds only a map: items of (type, how many)."""
    rows = b"".join(struct.pack("<HHII", kind, 0, size, 0) for kind, size in items)
    return struct.pack("<52xI", 56) + struct.pack("<I", len(items)) + rows


def _library(*, machine: int = 183, align: int = 0x4000, needs: bytes = b"libc.so") -> bytes:
    """A shared library of one segment."""
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HHIQQQIHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 1)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 1, 1, align)
    return header.ljust(64, b"\0") + segment + b"\0" + needs + b"\0"


def test_call_sites_are_counted(check: ModuleType) -> None:
    assert check.call_sites(_dex((0x0000, 1), (0x0005, 9))) == 0
    assert check.call_sites(_dex((0x0000, 1), (0x0007, 3))) == 3


@pytest.mark.parametrize(
    ("elf", "stored", "says"),
    [
        (_library(align=0x1000), False, "aligned to 4096 bytes; 16384 are needed"),
        (_library(machine=62), False, "machine 62 and not for arm64"),
        (_library(needs=b"libc.so.6"), False, "built for desktop Linux"),
        (_library(), True, "stored and not compressed"),
        (b"MZ", False, "no 64-bit ELF"),
    ],
)
def test_a_library_that_a_tablet_cannot_load_is_told(check: ModuleType, elf: bytes, stored: bool, says: str) -> None:
    problems = check.library_problems("lib.so", elf, stored=stored, rehearsal=False)
    assert len(problems) == 1
    assert says in problems[0]


def test_a_rehearsal_lets_desktop_libraries_pass_and_nothing_else(check: ModuleType) -> None:
    assert check.library_problems("lib.so", _library(), stored=False, rehearsal=False) == []
    assert check.library_problems("lib.so", _library(needs=b"libc.so.6"), stored=False, rehearsal=True) == []
    small = _library(align=0x1000, needs=b"libc.so.6")
    assert "4096" in check.library_problems("lib.so", small, stored=False, rehearsal=True)[0]
