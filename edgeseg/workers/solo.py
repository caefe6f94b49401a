"""One model in a process of its own, so that its load time, first inference and memory are nobody else's."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import EdgeSegError
from edgeseg.jsonio import from_json, to_json

if TYPE_CHECKING:
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.plain import PlainModel
    from edgeseg.targets import KerasPredictor

WARM_RUNS = 3
STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoloJob:
    """What to run: `slices` is a `.npy` of `(N, h, w, 3) uint8`; `volume` slices of it, over and over, or 0 for one.

    `contract` is the file that holds the model's contract where it carries none and is no peer. `pixel_mm` are the
    distances of rows and of columns, None where they are unknown, as those of phantoms are.
    """

    model: str
    threads: int
    slices: str
    volume: int = 0
    contract: str | None = None
    pixel_mm: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoloResult:
    """What was found; `seconds` holds every slice of a volume, `post_processing_s` what came after the last one."""

    load_s: float
    first_s: float
    idle_rss_bytes: int | None
    peak_rss_bytes: int | None
    seconds: tuple[float, ...] = ()
    post_processing_s: float | None = None


def measure(job: SoloJob) -> SoloResult:
    """Open one model, run one slice, and then a few more or a whole volume.

    Raises:
        EdgeSegError: when the model cannot be opened or run.
    """
    from edgeseg.runtime.plain import PlainModel
    from edgeseg.targets.peers import open_for_timing

    images = np.load(job.slices, allow_pickle=False)
    path = Path(job.model)
    if path.suffix.lower() == ".tflite":
        import ai_edge_litert.interpreter
        import ai_edge_litert.schema_py_generated  # noqa: F401 - what the runtime itself takes is not the model's
    idle = resident("VmRSS")
    start = time.perf_counter()
    model = open_for_timing(path, threads=job.threads, contract=None if job.contract is None else Path(job.contract))
    load = time.perf_counter() - start
    if isinstance(model, PlainModel):
        seconds, post = _plain(model, job.volume), None
    else:
        seconds, post = _segment(model, images, job)
    return SoloResult(
        load_s=load,
        first_s=seconds[0],
        idle_rss_bytes=idle,
        peak_rss_bytes=resident("VmHWM"),
        seconds=tuple(seconds) if job.volume else (),
        post_processing_s=post if job.volume else None,
    )


def resident(field: str, status: Path = STATUS) -> int | None:
    """Return this process's memory in bytes: `VmRSS` now, `VmHWM` at its peak; None where the system does not tell.

    `getrusage` would count the memory of the process that started this one.
    """
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), None)


def _plain(model: PlainModel, volume: int) -> list[float]:
    seconds = []
    for _ in range(volume or 1 + WARM_RUNS):
        start = time.perf_counter()
        model.run()
        seconds.append(time.perf_counter() - start)
    return seconds


def _segment(model: Segmenter | KerasPredictor, images: NDArray[np.uint8], job: SoloJob) -> tuple[list[float], float]:
    """Run slices as `edgeseg run` does: framed and resampled one by one, logits kept, components dropped at the end.

    Where the contract normalises by volume, the grey values of all slices are counted first, which is in the time of
    each as its share.
    """
    from edgeseg.components import post_process_logits
    from edgeseg.imaging import framed, framed_mask, framed_size, to_network, volume_tables

    count, contract = job.volume or 1 + WARM_RUNS, model.contract
    shape = (images.shape[1], images.shape[2])
    size = framed_size(shape, contract, job.pixel_mm)

    def taken(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return to_network(framed(image, size)[np.newaxis], contract)

    given = [images[index % len(images)] for index in range(count)]
    start = time.perf_counter()
    tables = volume_tables(map(taken, given), contract)
    counting = (time.perf_counter() - start) / count
    seconds, kept = [], []
    for image in given:
        start = time.perf_counter()
        kept.append(model.logits(taken(image), tables))
        seconds.append(time.perf_counter() - start + counting)
    start = time.perf_counter()
    logits = post_process_logits(np.concatenate(kept), contract, volume=bool(job.volume))
    for index in range(len(logits)):
        framed_mask(logits[index : index + 1], contract, shape, size)
    return seconds, time.perf_counter() - start


def main() -> None:
    """Read a `SoloJob` on stdin and print a `SoloResult`; a deliberate error is one line on stderr, exit code 2."""
    try:
        found = measure(from_json(SoloJob, sys.stdin.read()))
    except EdgeSegError as error:
        sys.exit(f"error: {error}")
    sys.stdout.write(f"\n{to_json(found, indent=None)}\n")


if __name__ == "__main__":
    main()
