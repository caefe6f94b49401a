"""Whether this process runs under an emulator, where a time says nothing about the processor that is emulated."""

from __future__ import annotations

import platform
from pathlib import Path

PROC = Path("/proc")
_TCG = "QEMU TCG"
_ARM = ("aarch64", "arm")


def emulator(proc: Path = PROC, *, machine: str | None = None) -> str | None:
    """Name the emulator, such as `qemu-aarch64` or `a QEMU TCG CPU`; None where there is no sign of one.

    The system's own view of this process gives user-mode qemu away: its command name, or the program that the thread
    executes, which qemu does not translate. A whole emulated machine says so in its processor's name; and a program
    for Arm that sees the processor of an x86 in `/proc/cpuinfo` is emulated as well.
    """
    name = _read(proc / "self" / "comm").strip()
    if name.startswith("qemu-"):
        return name
    executed = _target(proc / "thread-self" / "exe")
    if executed.startswith("qemu-"):
        return executed
    cpu = _read(proc / "cpuinfo")
    if _TCG in cpu:  # "QEMU Virtual CPU" alone may run on real cores, under KVM
        return "a QEMU TCG CPU"
    if (machine or platform.machine()).startswith(_ARM) and ("GenuineIntel" in cpu or "AuthenticAMD" in cpu):
        return "an emulator on x86"
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _target(link: Path) -> str:
    try:
        return link.readlink().name
    except OSError:
        return ""
