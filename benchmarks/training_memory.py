"""How the memory of a training grows with the number of its patients.

    python benchmarks/training_memory.py [--patients 10,1000] [--into docs/measured/training-memory.md]

Synthetic patients of 16 slices of 64 x 64 in three channels are brought into the slice cache, and a small network is
trained on four fifths of them, in a process of its own for each number, without and with a teacher. What a process
takes of its own (`RssAnon`) is read a hundred times a second, and beside it the whole (`VmHWM`), of which pages of the
cache that the kernel may take back at any time are a part. Needs the extra `build`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from synthetic import Synthetic

from edgeseg import artifacts

SIDE, SLICES, STEPS = 64, 16, 60
PAGE = """# Memory of training

This page has how much memory a training takes, by the number of its patients.

`python benchmarks/training_memory.py --patients {patients} --into docs/measured/training-memory.md` wrote it: synthetic
patients of {slices} slices of {side} x {side} x 3, `alphax` at alpha 0.0625, {steps} steps of 16 crops and one
validation, TensorFlow. "Own" is what a process holds of its own at its peak; "in all" adds the pages of the mapped
slices and of the libraries that were in memory, which the kernel takes back when others need them.

| patients | slices, MB | cache: own, MB | in all | training: own, MB | in all | with a teacher: own, MB | in all |
|---|---|---|---|---|---|---|---|
{rows}

- Slices, masks and what teachers say of them lie in files and are mapped; one patient at a time is decoded, and a batch
  is read row by row.
- Not flat: `--augment-on device` copies the training slices to the accelerator by design, 260 kB for one of 256 x 256
  and three channels; its own memory sets how many fit.
"""


def main() -> None:
    """Print a row for each number of patients, and write the page where one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", default="10,1000")
    parser.add_argument("--into", type=Path)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part is not None:
        _part(*json.loads(given.part))
        return
    rows = []
    for count in map(int, given.patients.split(",")):
        with tempfile.TemporaryDirectory() as place:
            ran = [_apart(what, count, place) for what in ("cache", "train", "taught")]
        megabytes = count * SLICES * SIDE * SIDE * 4 / 1e6
        rows.append(f"| {count:,} | {megabytes:.0f} | {' | '.join(f'{mb:.0f}' for pair in ran for mb in pair)} |")
        print(rows[-1], flush=True)
    if given.into is not None:
        page = PAGE.format(patients=given.patients, slices=SLICES, side=SIDE, steps=STEPS, rows="\n".join(rows))
        artifacts.write_text(given.into, page)


def _apart(what: str, count: int, place: str) -> tuple[float, float]:
    """Run one part in a process of its own; its own peak and the whole's, in MB."""
    command = [sys.executable, __file__, "--part", json.dumps([what, count, place])]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    own, whole = map(float, ended.stdout.split()[-2:])
    return own, whole


def _part(what: str, count: int, place: str) -> None:
    peak = [0.0]
    threading.Thread(target=_watch, args=(peak,), daemon=True).start()
    _cache(count, Path(place)) if what == "cache" else _train(count, Path(place), taught=what == "taught")
    peak[0] = max(peak[0], _status("RssAnon"))
    print(peak[0], _status("VmHWM"))


def _cache(count: int, place: Path) -> None:
    from edgeseg.data.cache import cached

    cached(Synthetic(count, slices=SLICES, side=SIDE), "key", root=place)


def _train(count: int, place: Path, *, taught: bool) -> None:
    from edgeseg.checkpoint import Checkpoint, read_checkpoint
    from edgeseg.data.cache import cached
    from edgeseg.specs import TrainSpec, VariantSpec
    from edgeseg.stages.train import train

    cache = cached(Synthetic(count, slices=SLICES, side=SIDE), "key", root=place)
    held = cache.patients[::5]
    spec = TrainSpec(
        variant=VariantSpec(name="alphax", alpha=0.0625, stem="half"),
        epochs=1,
        batch_size=16,
        crop_px=32,
        steps_per_epoch=STEPS,
        warmup_steps=1,
    )
    teachers: tuple[Checkpoint, ...] = ()
    if taught:
        teachers = (read_checkpoint(place / "train"),)
        spec = replace(spec, teachers=(artifacts.sha256_file(teachers[0].path),), distil_weight=0.5)
    learn = tuple(patient for patient in cache.patients if patient not in set(held))
    train(
        cache,
        spec,
        out=place / ("taught" if taught else "train"),
        train_patients=learn,
        validation_patients=held,
        teachers=teachers,
    )


def _watch(peak: list[float]) -> None:
    while True:
        peak[0] = max(peak[0], _status("RssAnon"))
        time.sleep(0.01)


def _status(field: str) -> float:
    """Read a field of what Linux says of this process, in MB."""
    for line in Path(f"/proc/{os.getpid()}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return float(line.split()[1]) / 1e3
    raise ValueError(field)


if __name__ == "__main__":
    main()
