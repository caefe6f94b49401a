"""What the scripts that train other people's kinds of networks share: slices, a split by patient, and batches.

NumPy and Pillow alone, so that the scripts run in an environment of their own, without edgeseg.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE, BATCH = 128, 4
MOMENTUM = 0.1
"""How much of a batch enters the statistics that batch normalisation uses afterwards. Keras takes 0.01, and its
MobileNetV2 0.001: after some hundred steps such a network still normalises by the numbers it was born with."""
HELD_OUT = 5
"""Every fifth patient, in the order of their names, trains nothing: `edgeseg` scores these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """Slices of many patients: `images` `(N, S, S, 3) uint8`, `masks` `(N, S, S) bool`, and whose each is."""

    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    patients: NDArray[np.int64]


def options(description: str, names: tuple[str, ...]) -> argparse.Namespace:
    """Read the options that all scripts that train have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("names", nargs="*", help=f"of the networks: {', '.join(names)}; all if none is named")
    parser.add_argument("--data", type=Path, required=True, help="the Kaggle LGG set")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the networks")
    parser.add_argument("--seconds", type=float, default=300.0, help="of processor time to train each")
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(names)):
        parser.error(f"unknown network '{unknown[0]}'; choose of: {', '.join(names)}")
    given.names = given.names or list(names)
    given.out.mkdir(parents=True, exist_ok=True)
    return given


def patients(data: Path) -> tuple[list[Path], list[Path]]:
    """List the folders of the patients that train, and of those that are held out."""
    root = data / "kaggle_3m" if (data / "kaggle_3m").is_dir() else data
    found = sorted(path for path in root.iterdir() if path.is_dir())
    held = found[::HELD_OUT]
    return [path for path in found if path not in held], held


def read(folders: list[Path], side: int = SIDE) -> Slices:
    """Read all slices of some patients at a size."""
    images, masks, owners = [], [], []
    for owner, folder in enumerate(folders):
        for mask in sorted(folder.glob("*_mask.tif"), key=lambda p: int(p.stem.split("_")[-2])):
            image = Image.open(mask.with_name(mask.name.replace("_mask", ""))).convert("RGB")
            images.append(np.asarray(image.resize((side, side), Image.Resampling.BILINEAR)))
            masks.append(np.asarray(Image.open(mask).convert("L").resize((side, side), Image.Resampling.NEAREST)) > 127)
            owners.append(owner)
    return Slices(images=np.stack(images), masks=np.stack(masks), patients=np.array(owners))


def batches(slices: Slices, seconds: float, *, size: int = BATCH) -> Iterator[tuple[NDArray[np.int64], float]]:
    """Draw places of slices, three quarters of them with tumour, until the processor time is over; with its share."""
    rng = np.random.default_rng(0)
    full = np.flatnonzero(slices.masks.any(axis=(1, 2)))
    empty = np.flatnonzero(~slices.masks.any(axis=(1, 2)))
    started = time.process_time()
    while (gone := (time.process_time() - started) / seconds) < 1:
        yield np.concatenate([rng.choice(full, size - size // 4), rng.choice(empty, size // 4)]), gone


def flipped(places: NDArray[np.int64], *arrays: NDArray[np.generic]) -> list[NDArray[np.generic]]:
    """Take slices by their places, half of them mirrored left to right."""
    turn = np.random.default_rng(int(places.sum())).random(len(places)) < 0.5
    taken = [array[places] for array in arrays]
    for array in taken:
        array[turn] = array[turn, :, ::-1]
    return taken


def note(out: Path, name: str, *, steps: int, seconds: float, side: int) -> None:
    """Leave beside a network how long it was trained; the study reads it."""
    (out / f"{name}.trained.json").write_text(json.dumps({"steps": steps, "seconds": seconds, "side": side}) + "\n")
    print(f"{name}: {steps} steps of {seconds:.0f} s", flush=True)


def unit(slices: Slices) -> NDArray[np.float32]:
    """Bytes divided by 255."""
    return slices.images.astype(np.float32) / 255


def z_scored(slices: Slices) -> NDArray[np.float32]:
    """Each channel of each patient with mean 0 and standard deviation 1 over the volume."""
    found = slices.images.astype(np.float32)
    for patient in np.unique(slices.patients):
        own = slices.patients == patient
        found[own] = (found[own] - found[own].mean(axis=(0, 1, 2))) / found[own].std(axis=(0, 1, 2))
    return found
