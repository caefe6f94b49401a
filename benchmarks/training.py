"""Time training: images per second of every installed backend through the real `train`, and of the pipeline alone.

Each backend runs in a process of its own, once per precision, on phantoms in a temporary cache. Steps are counted after
a warm-up, which takes compilation in; validation and the writing of checkpoints come after the last counted step.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from edgeseg.artifacts import source_digest
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.phantom import PhantomDataset
from edgeseg.data.sampler import Sampler
from edgeseg.errors import EdgeSegError
from edgeseg.reports.table import markdown_table_lines, splice
from edgeseg.specs import TrainSpec, VariantSpec
from edgeseg.specs.training import PRECISIONS
from edgeseg.stages.environment import environment, load_average, usable_cores
from edgeseg.stages.train import TrainProgress, train

HEAD = ("variant", "backend", "precision", "images/s", "ms a step", "pipeline alone, images/s",
        "pipeline's share of a step")  # fmt: skip
BACKENDS = ("tensorflow", "jax", "torch")
VARIANTS = ("alphax:0.125:half", "alphax:0.125:full", "alphax:0.25:half")
PATIENTS = 4


def main() -> None:
    """Print a Markdown table on stdout, and what is being done on stderr."""
    options = _options()
    if options.worker is not None:
        print(json.dumps(_measure(options)))
        return
    try:
        table = _table(options)
        print(table)
        if options.into is not None:
            splice(table, options.into)
    except EdgeSegError as error:
        sys.exit(f"error: {error}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, help="those that are installed, unless given")
    parser.add_argument("--variants", nargs="+", default=VARIANTS, metavar="FAMILY:ALPHA:STEM")
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=sorted(PRECISIONS, reverse=True))
    parser.add_argument("--steps", type=int, default=40, help="counted steps")
    parser.add_argument("--warmup", type=int, default=10, help="steps before them")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--crop-px", type=int, default=192)
    parser.add_argument("--cores", type=int, help="use this many of the cores; all unless given")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put the table between the marks of a Markdown file")
    parser.add_argument("--worker", choices=BACKENDS, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if min(options.steps, options.warmup) < 1:
        parser.error("--steps and --warmup must be at least 1")
    if options.cores is not None:
        if not 1 <= options.cores <= usable_cores():
            parser.error(f"--cores is {options.cores}; this process may use 1 to {usable_cores()}")
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    return options


def _table(options: argparse.Namespace) -> str:
    backends = options.backends or [name for name in BACKENDS if importlib.util.find_spec(name) is not None]
    before = load_average()
    rows: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        cache = _cache(Path(folder))
        for text in options.variants:
            spec = _spec(options, text)
            print(f"{spec.variant.slug}: pipeline", file=sys.stderr, flush=True)
            pipeline = _pipeline(cache, spec, steps=options.steps)
            for backend, precision in itertools.product(backends, options.precisions):
                print(f"{spec.variant.slug}: {backend} in {precision}", file=sys.stderr, flush=True)
                step_s = _in_own_process(options, text, backend, precision, Path(folder))
                rows.append(_row(spec, backend, precision, step_s, pipeline))
    here = environment()
    versions = ", ".join(f"{name} {here.versions[name]}" for name in ("keras", *backends) if name in here.versions)
    load = "unknown" if before is None else f"{before:g}"
    threads = (
        f"OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']}" if "OMP_NUM_THREADS" in os.environ else "all as threads"
    )
    return "\n".join(
        (
            *markdown_table_lines(HEAD, rows),
            "",
            f"- Crops of {options.crop_px} x {options.crop_px}, {options.batch_size} in a batch, "
            f"{options.steps} steps after {options.warmup} to warm up; phantoms.",
            "- The pipeline (reading, cropping, augmenting) was timed alone, in one thread; in training it runs beside "
            "the network, two batches at a time.",
            f"- Measured on {here.cpu}, {usable_cores()} cores ({threads}), {here.os}, Python {here.python}; "
            f"{versions}; load before {load}.",
        )
    )


def _in_own_process(options: argparse.Namespace, variant: str, backend: str, precision: str, folder: Path) -> float:
    """Seconds per step of one backend; a process can run Keras on one backend only."""
    command = [sys.executable, __file__, "--worker", backend, "--cache", str(folder), "--variants", variant]
    command += ["--precisions", precision]
    for name in ("steps", "warmup", "batch_size", "crop_px"):
        command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"error: {backend} ended with exit code {done.returncode}; its own words stand above")
    return float(json.loads(done.stdout.splitlines()[-1]))


def _measure(options: argparse.Namespace) -> float:
    cache, spec = _cache(options.cache), _spec(options, options.variants[0])
    times: dict[int, float] = {}

    def note(at: TrainProgress) -> None:
        times[at.step] = time.perf_counter()

    with tempfile.TemporaryDirectory() as out:
        train(
            cache,
            spec,
            out=Path(out) / "run",
            train_patients=cache.patients[:-1],
            validation_patients=cache.patients[-1:],
            backend=options.worker,
            progress=note,
        )
    counted: float = times[options.warmup + options.steps] - times[options.warmup]
    return counted / float(options.steps)


def _pipeline(cache: SliceCache, spec: TrainSpec, *, steps: int) -> float:
    """Seconds per batch of the sampler alone, after one batch to warm up."""
    sampler = Sampler.of(cache, cache.patients[:-1], spec)
    sampler.batch(1, 0)
    began = time.perf_counter()
    for step in range(1, steps + 1):
        sampler.batch(1, step)
    return (time.perf_counter() - began) / steps


def _cache(folder: Path) -> SliceCache:
    return cached(PhantomDataset(PATIENTS, seed=0), f"training-{source_digest('data')}", root=folder)


def _spec(options: argparse.Namespace, text: str) -> TrainSpec:
    try:
        name, alpha, stem = text.split(":")
        variant = VariantSpec(name=name, alpha=float(alpha), stem=stem)
    except (ValueError, EdgeSegError) as error:
        sys.exit(f"error: '{text}' is no variant ({error}); give FAMILY:ALPHA:STEM such as {VARIANTS[0]}")
    return TrainSpec(
        variant=variant,
        epochs=1,
        precision=options.precisions[0],
        batch_size=options.batch_size,
        crop_px=options.crop_px,
        steps_per_epoch=options.warmup + options.steps,
    )


def _row(spec: TrainSpec, backend: str, precision: str, step_s: float, pipeline_s: float) -> tuple[str, ...]:
    return (
        spec.variant.slug,
        backend,
        precision,
        f"{spec.batch_size / step_s:.1f}",
        f"{1000 * step_s:.0f}",
        f"{spec.batch_size / pipeline_s:.0f}",
        f"{100 * pipeline_s / step_s:.0f} %",
    )


if __name__ == "__main__":
    main()
