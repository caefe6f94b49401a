"""Measures how many inputs that were made odd on purpose a runner tells, and how many others.

    python benchmarks/odd_inputs.py --data DIR --into docs/measured/odd-inputs.md

DIR holds the patients of `calibration/splits/tcga-lgg-folds5.json`. What inputs look like is learned from four folds
and held against the fifth, five times; phantoms are held against what all patients give. Nothing of the slices is
written.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.odd import Images, Maker, Masks, learned, marked, only_tumour, other_plane, quarter_turned, stripped
from edgeseg.data.phantom import PhantomDataset
from edgeseg.data.volume import Dataset
from edgeseg.jsonio import to_json
from edgeseg.reports.table import splice
from edgeseg.specs import LGG, Contract, InputLook, VariantSpec
from edgeseg.stages.trust import fit_look, input_tally, patient_look, picked
from edgeseg.trust import InputTally, input_oddity

ROOT = Path(__file__).parents[1]
CONTRACT = Contract(variant=VariantSpec(), tier="custom", target="onnx-fp32", layout="NHWC", trained_on="none")
PHANTOMS = 24
"""From number 3000 of seed 0 on."""


def copied(one: int, over: tuple[int, ...]) -> Maker:
    """Put one channel in the place of others."""

    def make(images: Images, _masks: Masks, _rng: np.random.Generator) -> Images:
        found = images.copy()
        found[..., list(over)] = images[..., one : one + 1]
        return found

    return make


def missing(one: int) -> Maker:
    """Make one channel black."""

    def make(images: Images, _masks: Masks, _rng: np.random.Generator) -> Images:
        found = images.copy()
        found[..., one] = 0
        return found

    return make


def computed_tomography(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """Draw white bone, grey brain and dark scalp where the head is, each channel with its own noise."""
    head = images.max(axis=3, keepdims=True) > 15
    inner = stripped(images, _masks, rng).max(axis=3, keepdims=True) > 0
    grey = np.where(inner, 95.0, np.where(head, 225.0, 0.0)) + rng.normal(0, 6, images.shape) * head
    return np.asarray(np.clip(grey, 0, 255).astype(np.uint8))


def noise(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
    """Draw nothing but noise."""
    return rng.integers(0, 256, images.shape, dtype=np.uint8)


def blank(value: int) -> Maker:
    """Draw one value throughout."""
    return lambda images, _masks, _rng: np.full_like(images, value)


def body(*parts: tuple[float, float, float, float, tuple[int, int, int]]) -> Maker:
    """Draw ellipses: row, column, half height and half width in shares of the slice, and grey values."""

    def make(images: Images, _masks: Masks, rng: np.random.Generator) -> Images:
        count, height, width, channels = images.shape
        rows, columns = np.ogrid[:height, :width]
        tone, found = rng.uniform(0.8, 1.25, channels), np.empty_like(images)
        for number in range(count):
            plane, size = np.zeros((height, width, channels)), 0.9 + 0.2 * number / count
            for row, column, tall, wide, grey in parts:
                near = (rows / height - row) ** 2 / (tall * size) ** 2 + (columns / width - column) ** 2 / (
                    wide * size
                ) ** 2
                plane[near < 1] = np.resize(grey, channels) * tone
            noisy = np.hypot(plane + rng.normal(0, 3, plane.shape), rng.normal(0, 3, plane.shape))
            found[number] = np.clip(noisy, 0, 255)
        return found

    return make


FAT, MUSCLE, BONE, MARROW, ORGAN = (190, 150, 170), (62, 55, 75), (20, 20, 20), (170, 140, 160), (90, 85, 120)
LIMB = body((0.5, 0.5, 0.24, 0.24, FAT), (0.5, 0.5, 0.2, 0.2, MUSCLE), (0.48, 0.46, 0.05, 0.05, BONE),
            (0.48, 0.46, 0.035, 0.035, MARROW))  # fmt: skip
ABDOMEN = body((0.5, 0.5, 0.31, 0.44, FAT), (0.5, 0.5, 0.26, 0.39, MUSCLE), (0.5, 0.5, 0.23, 0.35, MARROW),
               (0.45, 0.3, 0.14, 0.16, ORGAN), (0.45, 0.7, 0.1, 0.12, ORGAN),
               (0.7, 0.5, 0.07, 0.07, MARROW))  # fmt: skip
LEGS = body((0.5, 0.28, 0.2, 0.18, FAT), (0.5, 0.72, 0.2, 0.18, FAT), (0.5, 0.28, 0.16, 0.14, MUSCLE),
            (0.5, 0.72, 0.16, 0.14, MUSCLE), (0.5, 0.28, 0.04, 0.04, MARROW),
            (0.5, 0.72, 0.04, 0.04, MARROW))  # fmt: skip
NAMES = {
    "upside-down": "upside down, mirrored top to bottom or turned by 180 degrees",
    "cut-off": "head cut off by the picture's edge",
    "apart": "one sequence moved",
    "too-large": "zoomed in",
    "too-small": "zoomed out",
    "uneven-sides": "strong bias field, left to right",
    "uneven-front": "strong bias field, brighter in front",
    "uneven-back": "strong bias field, brighter behind",
    "too-bright": "wrong window or gamma, too bright",
    "too-dark": "wrong window or gamma, too dark",
    "blurred": "strong blur",
    "noisy": "strong noise",
    "inverted": "inverted",
}


def suite() -> dict[str, tuple[bool, Maker]]:
    """Return the kinds, each with whether it is one of those that are learned from."""
    names, made = LGG.names, learned(3)
    found: dict[str, tuple[bool, Maker]] = {}
    for (kind, channels), makers in made.items():
        if kind == "swapped":
            found[f"{names[channels[0]]} and {names[channels[1]]} exchanged"] = (True, makers[0])
        elif kind == "cycled":
            found["all three in another order, " + ", ".join(names[one] for one in channels)] = (True, makers[0])
        elif kind in NAMES:
            found[NAMES[kind]] = (True, makers[0])
    found |= {
        "turned by 90 degrees": (True, quarter_turned),
        "sagittal read as axial": (True, other_plane(2)),
        "coronal read as axial": (True, other_plane(1)),
        "skull-stripped": (True, stripped),
        "only the tumour kept": (True, only_tumour),
        "mask burnt in": (True, marked),
    }
    for one, name in enumerate(names):
        found[f"{name} copied over the others"] = (False, copied(one, tuple({0, 1, 2} - {one})))
        found[f"{name} missing"] = (False, missing(one))
    return found | {
        "pre copied over post": (False, copied(0, (2,))),
        "CT": (False, computed_tomography),
        "noise alone": (False, noise),
        "black": (False, blank(0)),
        "one grey": (False, blank(100)),
        "a limb": (False, LIMB),
        "an abdomen": (False, ABDOMEN),
        "two legs": (False, LEGS),
    }


def told(tally: InputTally, look: InputLook) -> str:
    """Return what kind a runner tells, empty where none; a blank input is told as such before."""
    if not tally.shown.any():
        return "no signal"
    found = input_oddity(tally, look, LGG.names)
    return "" if found is None else " ".join((found.kind, *found.channels))


class Tallies:
    """What is counted on each patient, as it is and made odd; one volume at a time in memory."""

    def __init__(self, dataset: Dataset) -> None:
        """Make all."""
        kinds = suite()
        self.clean: dict[str, InputTally] = {}
        self.odd: dict[tuple[str, str], InputTally] = {}
        for number, patient in enumerate(dataset.patients):
            images, masks = picked(dataset.volume(patient), CONTRACT)
            self.clean[patient] = input_tally(images)
            for kind, (_, make) in kinds.items():
                drawn = make(images, masks, np.random.default_rng([1, number]))
                self.odd[patient, kind] = slim(input_tally(drawn))
            print(f"\r{dataset.name}: {number + 1} of {len(dataset.patients)}", end="", flush=True)
        print()


def slim(tally: InputTally) -> InputTally:
    """Keep the planes in fewer bytes."""
    tally.heads, tally.sums = tally.heads.astype(np.int32), tally.sums.astype(np.int32)
    return tally


def measure(data: Path) -> str:
    """Return the page's tables."""
    dataset, folds = (
        KaggleLgg(data),
        json.loads((ROOT / "calibration/splits/tcga-lgg-folds5.json").read_text())["folds"],
    )
    rows = {}
    for number, patient in enumerate(dataset.patients):
        rows[patient] = patient_look(dataset.volume(patient), CONTRACT, seed=number).row
        print(f"\rlearning: {number + 1}", end="", flush=True)
    real, drawn = Tallies(dataset), Tallies(PhantomDataset(PHANTOMS, 0, 3000))
    usual = [patient for patient in dataset.patients if rows[patient] is not None]
    learned_from = {one: row for one in usual if (row := rows[one]) is not None}
    looks: dict[str, InputLook] = {}
    for fold in folds:
        look = fit_look([row for one, row in learned_from.items() if one not in fold], dataset.name)
        looks |= dict.fromkeys(fold, look)
    whole = fit_look([*learned_from.values()], dataset.name)
    phantoms = [one for one in drawn.clean if not told(drawn.clean[one], whole).startswith(("copied", "missing"))]
    alarms = Counter(filter(None, (told(real.clean[one], looks[one]) for one in usual)))
    flagged = Counter(filter(None, (told(drawn.clean[one], whole) for one in phantoms)))
    lines = [
        "| input | learned from | told, real patients | told, phantoms | most told as |",
        "|---|---|---|---|---|",
    ]
    shares: list[float] = []
    for kind, (was_learned, _) in suite().items():
        said = [told(real.odd[one, kind], looks[one]) for one in usual]
        ours = [told(drawn.odd[one, kind], whole) for one in phantoms]
        shares.append(sum(map(bool, said)) / len(said))
        most = Counter(filter(None, said)).most_common(1)
        lines.append(
            f"| {kind} | {'yes' if was_learned else 'no'} | {shares[-1]:.1%} | "
            f"{sum(map(bool, ours)) / len(ours):.1%} | {most[0][0] if most else ''} |"
        )
    size, both = len(to_json(whole, indent=None)), len(dataset.patients) - len(usual)
    head = (
        f"Over all {len(shares)} kinds {np.mean(shares):.1%} are told, of {len(usual)} patients each, by what was "
        f"learned from the other folds; the least of a kind is {min(shares):.1%}. Of the same patients as they are "
        f"{sum(alarms.values())} of {len(usual)} ({sum(alarms.values()) / len(usual):.1%}) are told to be odd"
        f"{' (' + ', '.join(f'{k}: {n}' for k, n in alarms.items()) + ')' if alarms else ''}. {both} further patients "
        "of the set have two sequences that hold the same picture, are told so, and count nowhere here. Of "
        f"{len(phantoms)} phantoms as they are {sum(flagged.values())} are told to be odd. In the contract it is "
        f"{size:,} bytes. {cost(dataset, whole)}"
    )
    return "\n".join((head, "", *lines))


def cost(dataset: Dataset, look: InputLook) -> str:
    """Time the check of one volume."""
    images = dataset.volume(dataset.patients[0]).images
    times: list[float] = []
    for _ in range(15):
        before = time.perf_counter()
        tally = input_tally(picked_alone(images))
        input_oddity(tally, look, LGG.names)
        times.append(time.perf_counter() - before)
    return f"A volume takes {np.median(times) * 1e3:.1f} ms (the least of 15: {min(times) * 1e3:.1f} ms)."


def picked_alone(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the slices that are looked at."""
    from edgeseg.trust import slices_looked_at

    return images[list(slices_looked_at(len(images)))]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--into", type=Path)
    given = parser.parse_args()
    found = measure(given.data)
    print(found)
    if given.into is not None:
        splice(found, given.into)


if __name__ == "__main__":
    main()
