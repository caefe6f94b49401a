"""Pictures of what an artifact draws: agreement, misses and false alarms in colour over the reference channel."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.volume import Volume
from edgeseg.reports.page.overlays import Overlay, overlay
from edgeseg.stages.predict import Predictor, class_masks
from edgeseg.stages.score import predicted_masks


def overlays(predictor: Predictor, volumes: Iterable[Volume], *, per_patient: int = 3) -> tuple[Overlay, ...]:
    """Draw the slices on which an artifact and the reference differ most, and the one with the largest lesion.

    Args:
        predictor: the artifact, open.
        volumes: with reference masks.
        per_patient: pictures of each volume and mask at most.

    Raises:
        ArtifactError: when the artifact gives no usable logits.
        MaskError: when the volumes have other classes than the network.
    """
    found: list[Overlay] = []
    for volume in volumes:
        masks, reference = predicted_masks(predictor, volume), class_masks(volume, predictor.contract)
        if not predictor.contract.regions:
            found += _of_mask(volume, masks, reference, per_patient)
        for place, region in enumerate(predictor.contract.regions):
            found += _of_mask(volume, masks[..., place], reference[..., place], per_patient, region.name)
    return tuple(found)


def _of_mask(
    volume: Volume, masks: NDArray[np.bool_], reference: NDArray[np.bool_], count: int, name: str = ""
) -> list[Overlay]:
    return [overlay(volume, i, masks[i], reference[i], name) for i in _telling(masks, reference, count)]


def _telling(masks: NDArray[np.bool_], reference: NDArray[np.bool_], count: int) -> list[int]:
    """Choose slices, in anatomical order: the largest lesion, then the largest differences."""
    areas = reference.sum(axis=(1, 2))
    wrong = (masks ^ reference).sum(axis=(1, 2))
    order = [int(np.argmax(areas)), *(int(i) for i in np.argsort(-wrong, kind="stable") if wrong[i])]
    return sorted(dict.fromkeys(order[: count + 1]))[:count] if len(set(order)) > 1 else order[:1]
