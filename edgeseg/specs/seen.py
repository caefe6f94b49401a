"""Never score the seen: the one place that tells who was learned from, and refuses to score them or to teach from them.

Patients are known by their ids where weights lie beside their data, and by digests inside files that travel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from edgeseg.errors import SeenPatientError

NAMED_PATIENTS = 3
"""How many patients a message names."""


def patient_digest(patient: str) -> str:
    """Return the first 8 hexadecimal digits of the SHA-256 of a patient's id: enough to recognise, without the id."""
    return hashlib.sha256(patient.encode()).hexdigest()[:8]


def patient_digests(patients: Iterable[str]) -> tuple[str, ...]:
    """Return the digests of patients, sorted."""
    return tuple(sorted(map(patient_digest, patients)))


def seen_among(patients: Iterable[str], digests: Iterable[str]) -> list[str]:
    """Return those of `patients`, in their order, whose digest is among `digests`."""
    known = set(digests)
    return [patient for patient in patients if patient_digest(patient) in known]


def count_seen(patients: Sequence[str], digests: Iterable[str], *, artifact: str, allow_seen: bool = False) -> int:
    """Count the patients to score that training or calibration of an artifact saw.

    Args:
        patients: ids.
        digests: what the artifact's contract holds of those it saw.
        artifact: names it.
        allow_seen: count them only.

    Raises:
        SeenPatientError: when there is one and `allow_seen` is off; names how many and the first few.
    """
    seen = seen_among(patients, digests)
    if seen and not allow_seen:
        more = f" and {len(seen) - NAMED_PATIENTS} more" if len(seen) > NAMED_PATIENTS else ""
        raise SeenPatientError(
            f"training or calibration of {artifact} saw {len(seen)} of the {len(patients)} patients given: "
            f"{', '.join(seen[:NAMED_PATIENTS])}{more}. A score counts only on patients a model has never seen; choose "
            "others with --patients or --split, or add --allow-seen, which marks the table"
        )
    return len(seen)


def refuse_calibrated(patients: Iterable[str], digests: Iterable[str]) -> None:
    """Refuse to go on when a patient to score lent slices to calibration; `digests` are those of who did.

    Raises:
        SeenPatientError: naming the first.
    """
    if shared := sorted(seen_among(patients, digests)):
        more = f" and {len(shared) - 1} more" if len(shared) > 1 else ""
        raise SeenPatientError(
            f"patient {shared[0]}{more} would be evaluated on and is in the calibration set; "
            "calibrate on training patients only"
        )


def refuse_learned(who: str, learned: Iterable[str], held_out: Iterable[str], *, are: str, advice: str) -> None:
    """Refuse weights that learned from somebody who is held out.

    Args:
        who: names the weights, such as `the teacher runs/a`.
        learned: ids of their training patients.
        held_out: ids of those to score.
        are: what those are, such as `validation patient(s)`.
        advice: what follows from it, and what to do.

    Raises:
        SeenPatientError: with their number and the first of them.
    """
    if seen := sorted(set(learned) & set(held_out)):
        raise SeenPatientError(f"{who} learned from {len(seen)} {are}, {seen[0]} first{advice}")


def require_some(found: Sequence[str], *, otherwise: str) -> tuple[str, ...]:
    """Return the patients that were found for a purpose, seen or unseen as it asks.

    Raises:
        SeenPatientError: with `otherwise` when there is none.
    """
    if not found:
        raise SeenPatientError(otherwise)
    return tuple(found)
