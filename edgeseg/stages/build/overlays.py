"""Pictures of what an artifact draws: agreement, misses and false alarms in colour over the reference channel."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.volume import Volume
from edgeseg.reports.page.overlays import Overlay, overlay
from edgeseg.stages.predict import Predictor
from edgeseg.stages.score import predicted_masks


def overlays(predictor: Predictor, volumes: Iterable[Volume], *, per_patient: int = 3) -> tuple[Overlay, ...]:
    """Draw the slices on which an artifact and the reference differ most, and the one with the largest lesion.

    Args:
        predictor: the artifact, open.
        volumes: with reference masks.
        per_patient: pictures of each volume at most.

    Raises:
        ArtifactError: when the artifact gives no usable logits.
    """
    if predictor.contract.regions:
        return ()
    found: list[Overlay] = []
    for volume in volumes:
        masks = predicted_masks(predictor, volume)
        found += [overlay(volume, i, masks[i]) for i in _telling(masks, volume.reference, per_patient)]
    return tuple(found)


def _telling(masks: NDArray[np.bool_], reference: NDArray[np.bool_], count: int) -> list[int]:
    """Choose slices, in anatomical order: the largest lesion, then the largest differences."""
    areas = reference.sum(axis=(1, 2))
    wrong = (masks ^ reference).sum(axis=(1, 2))
    order = [int(np.argmax(areas)), *(int(i) for i in np.argsort(-wrong, kind="stable") if wrong[i])]
    return sorted(dict.fromkeys(order[: count + 1]))[:count] if len(set(order)) > 1 else order[:1]
