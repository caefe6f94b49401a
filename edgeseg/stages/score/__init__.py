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
from edgeseg.stages.score.evaluate import by_institution, class_deltas, dice_delta, evaluate, evaluation_of, result_of
from edgeseg.stages.score.on_ray import ScoreJob, scores_on_ray
from edgeseg.stages.score.patients import cannot_tell, check_unseen, only_unseen, predicted_masks
from edgeseg.stages.score.simulate import check_simulation
from edgeseg.stages.score.subgroups import MIN_PATIENTS, check_min_subgroup, subgroup_results
from edgeseg.stages.score.verify import verify

__all__ = [
    "EVIDENCE_FILE",
    "MIN_PATIENTS",
    "ScoreJob",
    "busiest_slices",
    "by_institution",
    "cannot_tell",
    "check_min_subgroup",
    "check_simulation",
    "check_unseen",
    "class_deltas",
    "codes_of",
    "compare",
    "device_figure",
    "dice_delta",
    "evaluate",
    "evaluation_of",
    "only_unseen",
    "predicted_masks",
    "replay_images",
    "result_of",
    "scores_on_ray",
    "slice_digests",
    "subgroup_results",
    "verify",
]
