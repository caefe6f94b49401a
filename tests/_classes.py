"""A data set of two classes that overlap, as small as a network can learn it: a bright disc, and its brighter core."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeseg.backend import load_keras
from edgeseg.checkpoint import Checkpoint, CheckpointHeader, read_checkpoint, weight_names, write_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.volume import Volume
from edgeseg.results import ArtifactRow, ClassResult, ClassScore
from edgeseg.specs import LGG, ChannelSet, ImageSpec, PostProcessing, TrainSpec, VariantSpec
from edgeseg.variants import build_model

CLASSES = ("whole", "core")
SIDE = 32


class Discs:
    """Patients whose slices hold one disc each, but for the last, which is empty; satisfies `Dataset`."""

    name = "discs"
    channels: ChannelSet = LGG
    classes = CLASSES
    patients = ("p1", "p2", "p3")

    def institution(self, patient: str) -> str:
        """None is known."""
        return ""

    def volume(self, patient: str) -> Volume:
        """Draw one patient."""
        rows, columns = np.mgrid[:SIDE, :SIDE]
        number = self.patients.index(patient)
        images = np.full((4, SIDE, SIDE, 3), 20, np.uint8)
        masks = np.zeros((4, SIDE, SIDE, 2), np.bool_)
        for index in range(3):
            distance = (rows - 12 - 2 * number - index) ** 2 + (columns - 14 - index) ** 2
            masks[index, ..., 0], masks[index, ..., 1] = distance < 64, distance < 16
            images[index][masks[index, ..., 0]], images[index][masks[index, ..., 1]] = 130, 250
        return Volume(
            patient=patient,
            institution="",
            images=images,
            masks=masks,
            slice_names=tuple(f"{patient}_{k}" for k in range(4)),
            classes=CLASSES,
        )


def several_masks(folder: Path) -> Checkpoint:
    """Write weights, as drawn, of a network for the data set, which learned from `p1` and `p2`."""
    variant = VariantSpec(name="unet", alpha=0.0625, stem="full")
    image = ImageSpec(height=SIDE, width=SIDE, classes=CLASSES)
    train = TrainSpec(variant=variant, epochs=1, batch_size=4, crop_px=SIDE, augment="none", ema=0.0)
    keras = load_keras()
    keras.utils.set_random_seed(0)
    model = build_model(variant, image, keras)
    header = CheckpointHeader(
        kind="weights", variant=variant, image=image, train=train, data="discs", data_hash="0",
        train_patients=("p1", "p2"), validation_patients=("p3",), epoch=1, backend="tensorflow", versions={},
    )  # fmt: skip
    arrays = dict(zip(weight_names(model), model.get_weights(), strict=True))
    return read_checkpoint(write_checkpoint(folder / "run" / "weights.safetensors", header, arrays))


def discs(root: Path) -> SliceCache:
    """Cache the data set below `root`."""
    return cached(Discs(), "discs", root=root)


def of_classes(row: ArtifactRow, *names: str, lost: dict[str, float] | None = None) -> ArtifactRow:
    """Give the same row, scored on several classes; `lost` is what some of them lack in Dice."""
    score = row.evaluation
    assert score is not None
    less = lost or {}
    classes = tuple(
        ClassResult(
            name=name, dice=score.dice, dice_median=0.5, iou_mean=0.5, hd95_px_median=None, hd95_undefined=0,
            lesion_recall=None, false_positive_slice_rate=None, threshold=0.5, post_processing=PostProcessing(),
        )
        for name in names
    )  # fmt: skip
    patients = tuple(
        replace(
            one,
            classes=tuple(
                ClassScore(
                    name=name, dice=one.dice - less.get(name, 0.0), iou=one.iou, precision=one.precision,
                    recall=one.recall, pixel_accuracy=one.pixel_accuracy, hd95_px=None, lesions=0, lesions_found=0,
                    tumour_free_slices=0, false_positive_slices=0,
                )
                for name in names
            ),
        )
        for one in score.patients
    )  # fmt: skip
    return replace(row, evaluation=replace(score, classes=classes, patients=patients))
