"""The machine and the versions a figure was measured with."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from edgeseg.results import Environment

PACKAGES = (
    "edgeseg",
    "numpy",
    "pillow",
    "onnxruntime",
    "tensorflow",
    "keras",
    "tf_keras",
    "tensorflow-model-optimization",
    "onnx",
    "tf2onnx",
    "ai-edge-litert",
    "h5py",
    "scipy",
    "jax",
    "torch",
)
CPUINFO = Path("/proc/cpuinfo")


def environment() -> Environment:
    """Describe this machine: CPU, usable cores, operating system, Python, int8 kernels, installed versions."""
    from edgeseg.runtime.numerics import int8_kernels

    return Environment(
        cpu=cpu_model(),
        cores=usable_cores(),
        os=_os_name(),
        python=platform.python_version(),
        int8_kernels=int8_kernels(),
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Return the versions of the packages that can change a figure, those that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def cpu_model(cpuinfo: Path = CPUINFO) -> str:
    """Return the CPU's model name from `/proc/cpuinfo`, or what `platform` knows where there is none."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for key in ("model name", "hardware", "cpu model"):
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip().lower() == key and value.strip():
                return " ".join(value.split())
    return platform.processor() or platform.machine() or "unknown CPU"


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> float | None:
    """Return the mean number of busy processes over the last minute, or None where the system does not say."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def memory_bytes() -> int | None:
    """Return the machine's memory in bytes, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError, AttributeError):
        return f"{platform.system()} {platform.release()}".strip()
