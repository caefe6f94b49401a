"""What a bench is run on."""

from __future__ import annotations

import platform

from edgeseg.errors import OptionError
from edgeseg.results import BenchDevice
from edgeseg.stages.bench.emulation import emulator
from edgeseg.stages.environment import environment, load_average, memory_bytes


def bench_device(*, emulated: bool) -> BenchDevice:
    """Describe what is measured on.

    Raises:
        OptionError: under an emulator, unless `emulated`.
    """
    found = emulator()
    if found is not None and not emulated:
        raise OptionError(
            f"this process runs under {found}, where a time says nothing about the processor that is emulated; count "
            "instructions instead, or give --emulated to have wall times that are marked as such"
        )
    here = environment()
    return BenchDevice(
        cpu=here.cpu,
        architecture=platform.machine(),
        cores=here.cores,
        os=here.os,
        versions={"python": here.python, **here.versions},
        memory_bytes=memory_bytes(),
        emulator=found or ("as told by --emulated" if emulated else None),
        int8_kernels=here.int8_kernels,
        load_average=load_average(),
    )
