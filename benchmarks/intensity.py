"""What grey values the bright end of tissue has in the training data, and what normalising anew costs in Dice.

    python benchmarks/intensity.py --data lgg [--model MODEL --split FOLDS.json --fold 0]

Every volume is put through a gain and an offset to 16 bits, normalised by `edgeseg.data.intensity`, and segmented;
beside it stands the Dice of the stored 8-bit slices.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from edgeseg.data.intensity import window_of
from edgeseg.data.open import open_dataset
from edgeseg.data.split import read_split
from edgeseg.data.volume import Volume
from edgeseg.runtime import Segmenter
from edgeseg.specs import CHANNELS

GAIN, OFFSET = 37.0, 1200.0


def main() -> None:
    """Print the grey values per sequence, and the Dice per patient where a model is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--split", type=Path)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--every", type=int, default=1, help="take every n-th patient")
    options = parser.parse_args()
    dataset = open_dataset(options.data)
    segmenter = Segmenter.load(options.model) if options.model else None
    patients = dataset.patients
    if options.split:
        patients = read_split(options.split).folds[options.fold]
    patients = patients[:: options.every]
    greys, scores = [], []
    for patient in patients:
        volume = dataset.volume(patient)
        windows = [window_of(volume.images[::2, ::2, ::2, c].astype(np.float64).ravel()) for c in range(3)]
        greys.append([(window.low, window.high) for window in windows])
        if segmenter is not None:
            scores.append(_dice_both(segmenter, volume))
            print(f"{patient}  Dice {scores[-1][0]:.3f} stored, {scores[-1][1]:.3f} normalised anew", flush=True)
    table = np.array(greys)
    print(f"{len(patients)} patients; grey value of the window, 10th, 50th and 90th percentile over patients")
    for channel, name in enumerate(CHANNELS):
        low, high = (np.percentile(table[:, channel, end], (10, 50, 90)).round(1).tolist() for end in (0, 1))
        print(f"{name:6} low {low}  high {high}")
    print(f"all    high {np.median(table[:, :, 1]):.1f} (median)")
    if scores:
        stored, anew = np.mean(scores, axis=0).tolist()
        print(f"mean Dice: {stored:.3f} stored, {anew:.3f} normalised anew")


def _dice_both(segmenter: Segmenter, volume: Volume) -> tuple[float, float]:
    raw = np.rint(volume.images.astype(np.float64) * GAIN + OFFSET)
    anew = np.stack([window_of(raw[..., c].ravel()).apply(raw[..., c]) for c in range(3)], axis=-1)
    reference = volume.reference
    found = []
    for images in (volume.images, anew):
        mask = segmenter.segment_volume(images)
        total = int(mask.sum()) + int(reference.sum())
        found.append(2 * int((mask & reference).sum()) / total if total else 1.0)
    return found[0], found[1]


if __name__ == "__main__":
    main()
