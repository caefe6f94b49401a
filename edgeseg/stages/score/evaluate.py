"""How good an artifact is on patients it has never seen: per patient, with intervals, on the grid of the reference."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean, median

from edgeseg.data.subgroups import Grouping
from edgeseg.data.volume import Volume
from edgeseg.errors import DatasetError
from edgeseg.metrics import BOOTSTRAP_SAMPLES, bootstrap_interval, paired_interval
from edgeseg.place import keys_for
from edgeseg.progress import Progress
from edgeseg.results import EvalResult, InstitutionScore, Interval, PatientScore
from edgeseg.specs import PostProcessing, check_flips, check_seed, not_comparable
from edgeseg.stages.predict import Predictor
from edgeseg.stages.score.classes import class_results
from edgeseg.stages.score.patients import cannot_tell, check_unseen, scored
from edgeseg.stages.score.simulate import AS_IS
from edgeseg.stages.score.subgroups import MIN_PATIENTS, check_min_subgroup, subgroup_results

_LOG = logging.getLogger(__name__)


def evaluate(
    predictor: Predictor,
    volumes: Iterable[Volume],
    *,
    artifact: str,
    data: str,
    allow_seen: bool = False,
    post_processing: bool = True,
    flips: str = "none",
    simulation: str = AS_IS,
    seed: int = 0,
    groupings: Sequence[Grouping] = (),
    min_subgroup: int = MIN_PATIENTS,
    progress: Progress | None = None,
) -> EvalResult:
    """Score an artifact on patients, one volume in memory at a time.

    Each slice goes in at the contract's size, what the contract's post-processing of volumes drops is dropped there,
    and the logits are brought back to the size of the reference before they are thresholded and anything is counted.
    Means are over patients. `lesion_recall` and
    `false_positive_slice_rate` pool the lesions and the tumour-free slices of all patients; without any lesion the
    first is None, without any such slice the second. `hd95_px_median` is over the patients where the distance exists;
    `hd95_undefined` counts the others.

    Args:
        predictor: the artifact, open.
        volumes: one `Volume` per patient, with masks; a sequence is checked whole before the first is run.
        artifact: the name that goes into the result.
        data: the data set's name, `phantom` where it is one.
        allow_seen: score patients that training or calibration saw too, and count them in the result.
        post_processing: apply the contract's post-processing; otherwise raw masks are scored.
        flips: test-time flips, a key of `predictor.FLIPS`; the artifact runs once for each pass.
        simulation: what is done to the slices before, a key of `simulate.SIMULATIONS`.
        seed: of the bootstrap.
        groupings: by what patients are parted into subgroups; each holds every patient scored.
        min_subgroup: of how many patients a subgroup has to be before it can be called the worst.
        progress: called after each patient; how many there are is not known.

    Raises:
        OptionError: when `flips` or `simulation` is unknown, the seed is negative, or `min_subgroup` below 1.
        SeenPatientError: on a patient that training or calibration saw, unless `allow_seen`.
        DatasetError: when there is no patient, or one comes twice or without slices.
        MaskError: when a patient has no reference, or one of another size.
        ArtifactError: when the artifact gives no usable logits.
    """
    check_seed(seed)
    if isinstance(volumes, Sequence):
        check_unseen(predictor.contract, [volume.patient for volume in volumes], allow_seen=allow_seen)
    scores = scored(
        predictor,
        volumes,
        allow_seen=allow_seen,
        post_processing=post_processing,
        flips=flips,
        simulation=simulation,
    )
    return evaluation_of(
        scores,
        predictor,
        artifact=artifact,
        data=data,
        post_processing=post_processing,
        flips=flips,
        simulation=simulation,
        seed=seed,
        groupings=groupings,
        min_subgroup=min_subgroup,
        progress=progress,
    )


def evaluation_of(
    scores: Iterable[PatientScore],
    predictor: Predictor,
    *,
    artifact: str,
    data: str,
    post_processing: bool = True,
    flips: str = "none",
    simulation: str = AS_IS,
    seed: int = 0,
    groupings: Sequence[Grouping] = (),
    min_subgroup: int = MIN_PATIENTS,
    progress: Progress | None = None,
) -> EvalResult:
    """Take the scores of patients, one after another, and sum them up; see `evaluate`, which also makes them.

    Raises:
        OptionError: when `flips` is unknown, the seed negative or `min_subgroup` below 1.
        DatasetError: when there is no patient.
    """
    check_flips(flips)
    check_seed(seed)
    check_min_subgroup(min_subgroup)
    contract = predictor.contract
    if (doubt := cannot_tell(contract)) is not None:
        _LOG.warning("%s", doubt)
    taken: list[PatientScore] = []
    for score in scores:
        taken.append(score)
        if progress:
            progress(len(taken), None, score.patient)
    if not taken:
        raise DatasetError(f"no patient of '{data}' was given; an evaluation needs at least one")
    result = result_of(
        taken,
        artifact=artifact,
        data=data,
        threshold=contract.threshold,
        numerics=predictor.numerics,
        seen_patients=check_unseen(contract, [score.patient for score in taken], allow_seen=True),
        seed=seed,
    )
    return replace(
        result,
        post_processing=contract.post_processing if post_processing else PostProcessing(),
        flips=flips,
        passes=contract.passes,
        simulation=simulation,
        seen_unknown=not_comparable(contract.seen_patients, keys_for(contract.seen_patients)),
        classes=class_results(taken, contract, post_processing=post_processing, seed=seed),
        subgroups=subgroup_results(taken, groupings, seed=seed, min_patients=min_subgroup),
    )


def dice_delta(a: EvalResult, b: EvalResult, *, seed: int = 0) -> Interval:
    """Return the mean of Dice `a - b` over the same patients, with its paired 95 % interval: below 0, `a` is worse.

    Raises:
        DatasetError: when the two are not over the same patients.
    """
    before = {score.patient: score.dice for score in b.patients}
    after = {score.patient: score.dice for score in a.patients}
    if odd := sorted(before.keys() ^ after.keys()):
        raise DatasetError(
            f"{a.artifact} and {b.artifact} differ in {len(odd)} patient(s), {odd[0]} among them; a difference needs "
            "both on the same patients. Evaluate them together"
        )
    return paired_interval(list(after.values()), [before[patient] for patient in after], seed=seed)


def class_deltas(a: EvalResult, b: EvalResult, *, seed: int = 0) -> tuple[Interval, ...]:
    """Return `dice_delta` of each class, in the order of `a.classes`; none where there is one mask.

    Args:
        a: scores.
        b: others of the same patients and classes.
        seed: of the bootstrap.
    """
    before = {score.patient: score.classes for score in b.patients}
    both = [(score.classes, before[score.patient]) for score in a.patients]
    return tuple(
        paired_interval([new[place].dice for new, _ in both], [old[place].dice for _, old in both], seed=seed)
        for place in range(len(a.classes))
    )


def result_of(
    scores: Sequence[PatientScore],
    *,
    artifact: str,
    data: str,
    threshold: float,
    numerics: str,
    seen_patients: int = 0,
    seed: int = 0,
) -> EvalResult:
    """Sum up the scores of patients, at least one; how the masks were made is left as `EvalResult` has it by default.

    Args:
        scores: of the patients.
        artifact: what they are scores of.
        data: the data set's name.
        threshold: on the probability.
        numerics: in which the artifact computed.
        seen_patients: how many of them training or calibration saw.
        seed: of the bootstrap.
    """
    dice = [score.dice for score in scores]
    distances = [score.hd95_px for score in scores if score.hd95_px is not None]
    lesions = sum(score.lesions for score in scores)
    tumour_free = sum(score.tumour_free_slices for score in scores)
    return EvalResult(
        artifact=artifact,
        data=data,
        patients=tuple(scores),
        dice=bootstrap_interval(dice, seed=seed),
        dice_median=median(dice),
        iou_mean=fmean(score.iou for score in scores),
        precision_mean=fmean(score.precision for score in scores),
        recall_mean=fmean(score.recall for score in scores),
        pixel_accuracy_mean=fmean(score.pixel_accuracy for score in scores),
        hd95_px_median=median(distances) if distances else None,
        hd95_undefined=len(scores) - len(distances),
        lesion_recall=sum(score.lesions_found for score in scores) / lesions if lesions else None,
        false_positive_slice_rate=sum(s.false_positive_slices for s in scores) / tumour_free if tumour_free else None,
        institutions=by_institution(scores),
        threshold=threshold,
        numerics=numerics,
        seen_patients=seen_patients,
        bootstrap_seed=seed,
        bootstrap_samples=BOOTSTRAP_SAMPLES,
    )


def by_institution(scores: Sequence[PatientScore]) -> tuple[InstitutionScore, ...]:
    """Take the patients of each institution together, in the order of their names."""
    dice: dict[str, list[float]] = {}
    for score in scores:
        dice.setdefault(score.institution, []).append(score.dice)
    return tuple(
        InstitutionScore(institution=name, patients=len(values), dice_mean=fmean(values), dice_median=median(values))
        for name, values in sorted(dice.items())
    )
