"""Pseudonyms in place of ids in all that `edgeseg ship` writes: the header of weights, scores, choice and ranges.

Lists are sorted anew, so that not even the order of ids is left. A field that may be a part of an id, as the
institution of a patient is, is emptied where the id is not public.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from edgeseg.checkpoint import CheckpointHeader
from edgeseg.place import keys_for
from edgeseg.results import Choice, ChoiceStep, EvalResult, TrustPatient, TrustResult
from edgeseg.specs import PatientKey, is_public, renewed
from edgeseg.stages.calibrate import RecordedRanges
from edgeseg.stages.score import by_institution


def named_in(header: CheckpointHeader) -> set[str]:
    """Return every patient whom a header names, and those of the trainings that it rests on."""
    below = (*header.parts, *(() if header.initial is None else (header.initial,)))
    own = {*header.train_patients, *header.validation_patients}
    return own.union(*map(named_in, below))


def hide_in_header(header: CheckpointHeader, key: PatientKey) -> CheckpointHeader:
    """Return a header, and those it rests on, with pseudonyms."""
    return replace(
        header,
        train_patients=_hidden(header.train_patients, key),
        validation_patients=_hidden(header.validation_patients, key),
        initial=None if header.initial is None else hide_in_header(header.initial, key),
        parts=tuple(hide_in_header(part, key) for part in header.parts),
    )


def hide_in_scores(found: EvalResult, key: PatientKey) -> EvalResult:
    """Return scores with pseudonyms; patients of no public id have no institution there."""
    scores = [
        score if is_public(score.patient) else replace(score, patient=key.pseudonym(score.patient), institution="")
        for score in found.patients
    ]
    scores.sort(key=lambda score: score.patient)
    return replace(found, patients=tuple(scores), institutions=by_institution(scores))


def hide_in_choice(made: Choice, key: PatientKey) -> Choice:
    """Return a choice with pseudonyms; where single patients were left out, in the order of these."""
    groups = [replace(group, patients=_hidden(group.patients, key)) for group in made.groups]
    order = list(range(len(groups)))
    if all(len(group.patients) == 1 for group in groups):
        order.sort(key=lambda place: groups[place].patients)
    return replace(
        made,
        groups=tuple(groups[place] for place in order),
        steps=tuple(_hide_in_step(step, order, key) for step in made.steps),
        classes=tuple(
            replace(one, steps=tuple(_hide_in_step(step, order, key) for step in one.steps)) for one in made.classes
        ),
    )


def hide_in_trust(made: TrustResult, key: PatientKey, weights_sha256: str) -> TrustResult:
    """Return what was fitted for weights that were written anew, with pseudonyms, patients in the order of these."""
    groups = [replace(group, patients=_hidden(group.patients, key)) for group in made.groups]
    order = list(range(len(groups)))
    if made.left_out != "fold":
        order.sort(key=lambda place: groups[place].patients)
    numbers = {old: new for new, old in enumerate(order)}
    return replace(
        made,
        weights_sha256=weights_sha256,
        groups=tuple(groups[place] for place in order),
        patients=_hidden_rows(made.patients, key, numbers),
        own_patients=_hidden_rows(made.own_patients, key, numbers),
        classes=tuple(replace(one, patients=_hidden_rows(one.patients, key, numbers)) for one in made.classes),
    )


def _hidden_rows(rows: Iterable[TrustPatient], key: PatientKey, numbers: Mapping[int, int]) -> tuple[TrustPatient, ...]:
    hidden = (replace(row, patient=_one(row.patient, key), group=numbers.get(row.group, row.group)) for row in rows)
    return tuple(sorted(hidden, key=lambda row: row.patient))


def hide_in_ranges(
    found: RecordedRanges, learned: Iterable[str], key: PatientKey, weights_sha256: str
) -> RecordedRanges:
    """Return ranges of weights that were written anew; plain digests of those learned from become pseudonyms too."""
    entries = renewed(found.patients, learned, keys=keys_for(found.patients), key=key)
    return replace(found, patients=entries, weights_sha256=weights_sha256)


def _hide_in_step(step: ChoiceStep, order: list[int], key: PatientKey) -> ChoiceStep:
    dice = {_one(patient, key): value for patient, value in step.dice_by_patient.items()}
    chosen = tuple(step.chosen[place] for place in order) if len(step.chosen) == len(order) else step.chosen
    return replace(step, chosen=chosen, dice_by_patient=dict(sorted(dice.items())))


def _hidden(patients: Iterable[str], key: PatientKey) -> tuple[str, ...]:
    return tuple(sorted(_one(patient, key) for patient in patients))


def _one(patient: str, key: PatientKey) -> str:
    return patient if is_public(patient) else key.pseudonym(patient)
