"""How good an artifact is, whether it computes what its parent does, and how two builds compare."""

from __future__ import annotations

from edgeseg.stages.score.compare import compare
from edgeseg.stages.score.device import (
    EVIDENCE_FILE,
    busiest_slices,
    codes_of,
    device_figure,
    replay_images,
    slice_digests,
)
from edgeseg.stages.score.evaluate import (
    by_institution,
    cannot_tell,
    check_unseen,
    dice_delta,
    evaluate,
    predicted_masks,
    result_of,
)
from edgeseg.stages.score.simulate import check_simulation
from edgeseg.stages.score.verify import verify

__all__ = [
    "EVIDENCE_FILE",
    "busiest_slices",
    "by_institution",
    "cannot_tell",
    "check_simulation",
    "check_unseen",
    "codes_of",
    "compare",
    "device_figure",
    "dice_delta",
    "evaluate",
    "predicted_masks",
    "replay_images",
    "result_of",
    "slice_digests",
    "verify",
]
