"""Repack a data set of the Kaggle LGG layout as nnU-Net, BraTS and CSV, and score a network on each.

    python benchmarks/layouts.py --data kaggle_3m --model build/light/onnx-fp32.onnx --patients 10

The bytes that each reader gives must be those of the Kaggle layout, and so the Dice. What is repacked lies in a
temporary folder and is deleted.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeseg.data.layouts.layout import StoredDataset
from edgeseg.data.open import open_dataset
from edgeseg.data.volume import Volume, volumes
from edgeseg.stages.score import evaluate
from edgeseg.targets import open_artifact

_AFFINE = np.diag([-1.0, -1.0, 5.0, 1.0])


def write_nifti(path: Path, volume: NDArray[np.uint8]) -> None:
    """Write `(N, H, W) uint8`, slices from feet to head, rows from front to back, columns from right to left."""
    import nibabel

    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(volume.transpose(2, 1, 0)), _AFFINE), path)


def as_nnunet(given: Iterable[Volume], root: Path) -> None:
    """Write patients as a raw data set of nnU-Net."""
    for volume in given:
        for place in range(volume.images.shape[3]):
            write_nifti(root / "imagesTr" / f"{volume.patient}_{place:04d}.nii.gz", volume.images[..., place])
        write_nifti(root / "labelsTr" / f"{volume.patient}.nii.gz", volume.reference.astype(np.uint8))
        names = {str(place): name for place, name in enumerate(volume.channels)}
    told = {"channel_names": names, "labels": {"background": 0, "tumour": 1}, "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(told))


def as_brats(given: Iterable[Volume], root: Path) -> None:
    """Write patients with the names that BraTS has; nobody has T2."""
    called = {"pre": "t1", "flair": "flair", "post": "t1ce"}
    for volume in given:
        folder = root / volume.patient
        for place, name in enumerate(volume.channels):
            write_nifti(folder / f"{volume.patient}_{called[name]}.nii.gz", volume.images[..., place])
        write_nifti(folder / f"{volume.patient}_seg.nii.gz", 2 * volume.reference.astype(np.uint8))


def as_csv(given: Iterable[Volume], root: Path) -> None:
    """Write slices as PNG of three planes, and a CSV that lists them."""
    root.mkdir(parents=True)
    with (root / "slices.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("patient", "site", "pre+flair+post", "mask"))
        for volume in given:
            for name, image, mask in zip(volume.slice_names, volume.images, volume.reference, strict=True):
                Image.fromarray(image).save(root / f"{name}.png")
                Image.fromarray(mask.astype(np.uint8) * 255).save(root / f"{name}_mask.png")
                writer.writerow((volume.patient, volume.institution, f"{name}.png", f"{name}_mask.png"))


LAYOUTS = {"nnunet": (as_nnunet, None), "brats": (as_brats, "tumour=1+2+4"), "csv": (as_csv, None)}
"""By name: what writes it, and the labels to ask for."""


def repacked(source: StoredDataset, patients: tuple[str, ...], layout: str, root: Path) -> StoredDataset:
    """Write patients in a layout and open what was written."""
    write, labels = LAYOUTS[layout]
    write(volumes(source, patients), root)
    return open_dataset(root, labels=labels)


def same_bytes(one: StoredDataset, other: StoredDataset, patients: tuple[str, ...]) -> bool:
    """Whether both give every patient the same images and masks."""
    return all(
        np.array_equal(one.volume(patient).images, other.volume(patient).images)
        and np.array_equal(one.volume(patient).reference, other.volume(patient).reference)
        for patient in patients
    )


def main() -> None:
    """Score each network on each layout and print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, action="append", required=True)
    parser.add_argument("--patients", type=int, default=10)
    given = parser.parse_args()
    source = open_dataset(given.data)
    patients = source.patients[:: max(1, len(source.patients) // given.patients)][: given.patients]
    with tempfile.TemporaryDirectory() as place:
        sets = {"kaggle-lgg": source} | {name: repacked(source, patients, name, Path(place) / name) for name in LAYOUTS}
        for name, dataset in sets.items():
            print(f"{name:<12}same bytes: {same_bytes(source, dataset, patients)}")
        for model in given.model:
            predictor = open_artifact(model, threads=2)
            for name, dataset in sets.items():
                result = evaluate(
                    predictor, volumes(dataset, patients), artifact=model.stem, data=dataset.name, allow_seen=True
                )
                print(f"{name:<12}{model.name:<24}Dice {result.dice.mean:.6f} over {len(result.patients)} patients")


if __name__ == "__main__":
    main()
