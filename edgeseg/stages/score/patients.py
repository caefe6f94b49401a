"""One patient after another through an artifact: seen or not, its masks, its scores."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeseg.components import post_process_logits
from edgeseg.data.volume import Volume
from edgeseg.errors import DatasetError, MaskError
from edgeseg.metrics import score_classes, score_patient
from edgeseg.place import keys_for, missing_keys
from edgeseg.results import PatientScore
from edgeseg.specs import Contract, count_seen, not_comparable, require_some, seen_among
from edgeseg.stages.predict import Predictor, class_masks, masks_on_volume, volume_logits
from edgeseg.stages.score.simulate import AS_IS, simulated

_LOG = logging.getLogger(__name__)


def scored(
    predictor: Predictor,
    volumes: Iterable[Volume],
    *,
    allow_seen: bool = False,
    post_processing: bool = True,
    flips: str = "none",
    simulation: str = AS_IS,
) -> Iterator[PatientScore]:
    """Score patients one after another; see `edgeseg.stages.score.evaluate` for the options and what is raised."""
    contract = predictor.contract
    for volume in simulated(_checked(volumes, contract, allow_seen=allow_seen), simulation):
        masks = predicted_masks(predictor, volume, post_processing=post_processing, flips=flips)
        yield _score(masks, class_masks(volume, contract), volume, contract)


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


def only_unseen(contract: Contract, patients: Sequence[str]) -> tuple[str, ...]:
    """Leave out the patients that training or calibration of an artifact saw, as far as this site's keys tell.

    How many that were is logged.

    Raises:
        SeenPatientError: when it saw all of them.
        OptionError: when the site's patient key is damaged, or open to others.
    """
    entries = contract.seen_patients
    seen = set(seen_among(patients, entries, keys_for(entries)))
    artifact = f"{contract.variant.slug} {contract.target}"
    left = require_some(
        tuple(patient for patient in patients if patient not in seen),
        otherwise=f"training or calibration of {artifact} saw all {len(patients)} patients given, so --unseen leaves "
        "none; give others with --data, or take --allow-seen, which marks the table",
    )
    if seen:
        _LOG.warning(
            "%d of the %d patients are left out: training or calibration of %s saw them",
            len(seen),
            len(patients),
            artifact,
        )
    return left


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
