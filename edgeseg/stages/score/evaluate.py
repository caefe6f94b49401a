"""How good an artifact is on patients it has never seen: per patient, with intervals, on the grid of the reference."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from edgeseg.components import post_process_logits
from edgeseg.data.volume import Volume
from edgeseg.errors import DatasetError, MaskError
from edgeseg.metrics import BOOTSTRAP_SAMPLES, bootstrap_interval, paired_interval, score_classes, score_patient
from edgeseg.place import keys_for, missing_keys
from edgeseg.progress import Progress
from edgeseg.results import EvalResult, InstitutionScore, Interval, PatientScore
from edgeseg.specs import Contract, PostProcessing, check_flips, check_seed, count_seen, not_comparable
from edgeseg.stages.predict import Predictor, class_masks, masks_on_volume, volume_logits
from edgeseg.stages.score.classes import class_results
from edgeseg.stages.score.simulate import AS_IS, simulated

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
        progress: called after each patient; how many there are is not known.

    Raises:
        OptionError: when `flips` or `simulation` is unknown, or the seed is negative.
        SeenPatientError: on a patient that training or calibration saw, unless `allow_seen`.
        DatasetError: when there is no patient, or one comes twice or without slices.
        MaskError: when a patient has no reference, or one of another size.
        ArtifactError: when the artifact gives no usable logits.
    """
    check_flips(flips)
    check_seed(seed)
    contract = predictor.contract
    if (doubt := cannot_tell(contract)) is not None:
        _LOG.warning("%s", doubt)
    if isinstance(volumes, Sequence):
        check_unseen(contract, [volume.patient for volume in volumes], allow_seen=allow_seen)
    scores: list[PatientScore] = []
    for volume in simulated(_checked(volumes, contract, allow_seen=allow_seen), simulation):
        masks = predicted_masks(predictor, volume, post_processing=post_processing, flips=flips)
        scores.append(_score(masks, class_masks(volume, contract), volume, contract))
        if progress:
            progress(len(scores), None, volume.patient)
    if not scores:
        raise DatasetError(f"no patient of '{data}' was given; an evaluation needs at least one")
    result = result_of(
        scores,
        artifact=artifact,
        data=data,
        threshold=contract.threshold,
        numerics=predictor.numerics,
        seen_patients=check_unseen(contract, [score.patient for score in scores], allow_seen=True),
        seed=seed,
    )
    applied = contract.post_processing if post_processing else PostProcessing()
    unknown = not_comparable(contract.seen_patients, keys_for(contract.seen_patients))
    classes = class_results(scores, contract, post_processing=post_processing, seed=seed)
    return replace(
        result, post_processing=applied, flips=flips, simulation=simulation, seen_unknown=unknown, classes=classes
    )


def _score(masks: NDArray[np.bool_], reference: NDArray[np.bool_], volume: Volume, contract: Contract) -> PatientScore:
    patient, institution = volume.patient, volume.institution
    if not contract.regions:
        return score_patient(masks, reference, patient=patient, institution=institution)
    names = [region.name for region in contract.regions]
    return score_classes(masks, reference, names=names, patient=patient, institution=institution)


def check_unseen(contract: Contract, patients: Sequence[str], *, allow_seen: bool = False) -> int:
    """Count the patients that training or calibration of an artifact saw, as far as this site's keys tell.

    Raises:
        SeenPatientError: see `edgeseg.specs.count_seen`.
        OptionError: when the site's patient key is damaged, or open to others.
    """
    artifact, entries = f"{contract.variant.slug} {contract.target}", contract.seen_patients
    return count_seen(patients, entries, artifact=artifact, keys=keys_for(entries), allow_seen=allow_seen)


def cannot_tell(contract: Contract) -> str | None:
    """Say that nobody can tell here whether an artifact saw the patients scored, and why; None where that can be told.

    Raises:
        OptionError: when the site's patient key is damaged, or open to others.
    """
    if (missing := missing_keys(contract.seen_patients)) is None:
        return None
    unknown = not_comparable(contract.seen_patients, keys_for(contract.seen_patients))
    return (
        f"CANNOT TELL whether training or calibration of {contract.variant.slug} {contract.target} saw patients given "
        f"here: it holds {unknown} pseudonym(s), and {missing}"
    )


def predicted_masks(
    predictor: Predictor, volume: Volume, *, post_processing: bool = True, flips: str = "none"
) -> NDArray[np.bool_]:
    """Segment one patient on the grid of its own images: `(N, h, w) bool`; see `evaluate` for the options.

    Of a contract with R regions the masks are `(N, h, w, R)`.

    Raises:
        OptionError: when `flips` is unknown.
        ArtifactError: when the artifact gives no usable logits.
    """
    contract = predictor.contract
    logits = volume_logits(predictor, volume, flips=flips)
    if post_processing:
        logits = post_process_logits(logits, contract, volume=True)
    return masks_on_volume(logits, contract, volume)


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


def _checked(volumes: Iterable[Volume], contract: Contract, *, allow_seen: bool) -> Iterator[Volume]:
    met: set[str] = set()
    for volume in volumes:
        check_unseen(contract, [volume.patient], allow_seen=allow_seen)
        if volume.patient in met:
            raise DatasetError(f"patient {volume.patient} was given twice; each counts once. Name each patient once")
        if not len(volume.images):
            raise DatasetError(f"patient {volume.patient} has no slices; leave it out")
        if volume.masks is None:
            raise MaskError(f"patient {volume.patient} has no reference masks; an evaluation compares against them")
        if volume.masks.shape[:3] != volume.images.shape[:3] or volume.masks.ndim != 3 + bool(volume.classes):
            raise MaskError(
                f"patient {volume.patient} has masks of shape {volume.masks.shape} for images of shape "
                f"{volume.images.shape}; each slice needs a mask of its own size"
            )
        met.add(volume.patient)
        yield volume


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
