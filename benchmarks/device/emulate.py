"""Start guest.py and guest.mjs on other processors, and read what they leave."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from store import Store, call

from edgeseg import artifacts

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One model on one stack of slices; the fields are those that guest.py reads."""

    model: str
    inputs: str
    outputs: str
    shape: tuple[int, ...]
    dtype: str
    slices: int
    integer_graph: bool = False
    mark: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What an emulated Arm core tells of itself; the features are those of the core, as Linux names them."""

    name: str
    part: str
    features: str


_BASE = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
ARM_CORES = (
    Arm(name="cortex-a53", part="0xd03", features=_BASE),
    Arm(name="cortex-a76", part="0xd0b", features=f"{_BASE} atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp"),
)
"""The second one has the dot-product instructions that int8 kernels use where they are, the first has not."""
_TOPOLOGY = (
    "physical_package_id",
    "core_id",
    "thread_siblings_list",
    "core_siblings_list",
    "package_cpus_list",
    "cluster_cpus_list",
    "core_cpus_list",
)
X86_CORE = "Haswell"
"""AVX2 without VNNI."""


def on_arm(store: Store, core: Arm, jobs: Sequence[Job], jobs_file: Path, *, count: bool = False) -> tuple[str, str]:
    """Run jobs on an Arm core; returns the runtimes' versions as JSON, and what the counting plugin said."""
    _describe_core(store.sysroot, core)
    plugin = ["-plugin", store.plugin] if count else []
    command = ["qemu-aarch64", "-cpu", core.name, "-L", store.sysroot, *plugin, store.python]
    return _run(
        [*command, "-s", HERE / "guest.py"],
        jobs,
        jobs_file,
        core.name,
        PYTHONPATH=str(store.packages),
        PYTHONHASHSEED="0",
    )


def on_x86(jobs: Sequence[Job], jobs_file: Path) -> tuple[str, str]:
    """Run jobs with this very Python on an x86 core without VNNI."""
    return _run(["qemu-x86_64", "-cpu", X86_CORE, sys.executable, HERE / "guest.py"], jobs, jobs_file, X86_CORE)


def on_host(jobs: Sequence[Job], jobs_file: Path) -> tuple[str, str]:
    """Run jobs with this very Python on this very processor."""
    return _run([sys.executable, HERE / "guest.py"], jobs, jobs_file, "this host")


def in_wasm(store: Store, jobs: Sequence[Job], jobs_file: Path) -> tuple[str, str]:
    """Run jobs in WebAssembly."""
    return _run(["node", HERE / "guest.mjs", store.web], jobs, jobs_file, "WebAssembly")


def inference_counts(said: str) -> list[int]:
    """Read the instructions of each inference from what the plugin printed, two marks for each."""
    marks = [int(value) for value in re.findall(r"^executed (\d+)$", said, re.MULTILINE)]
    return [end - start for start, end in zip(marks[::2], marks[1::2], strict=True)]


def _run(
    command: Sequence[str | Path], jobs: Sequence[Job], jobs_file: Path, where: str, **extra: str
) -> tuple[str, str]:
    artifacts.write_text(jobs_file, json.dumps([asdict(job) for job in jobs]))
    said = call([*command, jobs_file], what=f"running on {where}", **extra)
    told = next((line for line in said.splitlines() if line.startswith("{")), "{}")
    return told, said


def _describe_core(sysroot: Path, core: Arm) -> None:
    """Give qemu's guest the /proc/cpuinfo and /sys of an Arm machine; else it reads the host's, and runtimes crash."""
    cpuinfo = (
        f"processor\t: 0\nBogoMIPS\t: 100.00\nFeatures\t: {core.features}\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {core.part}\nCPU revision\t: 0\n\n"
    )
    machine, cpu = "sys/devices/system/cpu", "sys/devices/system/cpu/cpu0"
    files = {"proc/cpuinfo": cpuinfo, f"{machine}/kernel_max": "0\n"}
    files |= {f"{machine}/{name}": "0\n" for name in ("possible", "present", "online")}
    files |= {f"{cpu}/topology/{name}": "1\n" for name in ("thread_siblings", "core_siblings")}
    files |= {f"{cpu}/topology/{name}": "0\n" for name in _TOPOLOGY}
    files |= {f"{cpu}/cpufreq/cpuinfo_{end}_freq": "2000000\n" for end in ("min", "max")}
    for name, text in files.items():
        artifacts.write_text(sysroot / name, text)
