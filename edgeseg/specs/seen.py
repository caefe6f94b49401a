"""Never score the seen: the one place that tells who was learned from, and refuses to score them or to teach from them.

Patients are known by their ids where weights lie beside their data. What travels holds pseudonyms of them: HMAC-SHA-256
under a key that stays where the data is, so that nobody without the key can try ids until one fits. Ids that are public
anyway stand there as plain digests, as all did before, which anybody can compare.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edgeseg.errors import OptionError, SeenPatientError

NAMED_PATIENTS = 3
"""How many patients a message names."""
KEY_BYTES = 32
PUBLIC_IDS = re.compile(r"TCGA_[A-Z0-9]{2}_[A-Z0-9]{4}_[0-9]{8}|PHANTOM_[A-Z]{2}_[0-9]{4}")
"""Ids that are public by their form: barcodes of The Cancer Imaging Archive with a date as the Kaggle set has them, and
phantoms."""
_PSEUDONYM = re.compile(r"([0-9a-f]{8})-[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientKey:
    """What pseudonyms are made with: `secret` is 32 random bytes, which no message, log or result shows.

    `id` is 8 hexadecimal digits that follow from the secret and tell keys apart; the secret does not follow from them.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a secret of another length."""
        if len(self.secret) != KEY_BYTES:
            raise OptionError(f"a patient key has {len(self.secret)} bytes; {KEY_BYTES} random ones are needed")

    @property
    def id(self) -> str:
        """Which key it is."""
        return self._mac("key", "")[:8]

    def pseudonym(self, patient: str) -> str:
        """Return what stands for a patient: the key's id, a hyphen and 32 hexadecimal digits (128 bits).

        A pseudonym, of this key or another, is returned as it is.
        """
        return patient if is_pseudonym(patient) else f"{self.id}-{self._mac('patient', patient)[:32]}"

    def _mac(self, purpose: str, text: str) -> str:
        message = f"edgeseg {purpose} 1\0{text}".encode(errors="surrogateescape")
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()


def is_pseudonym(name: str) -> bool:
    """Whether a name is one that some `PatientKey` gave."""
    return _PSEUDONYM.fullmatch(name) is not None


def is_public(patient: str) -> bool:
    """Whether an id may stand in what travels: it is public by its form, or a pseudonym."""
    return PUBLIC_IDS.fullmatch(patient) is not None or is_pseudonym(patient)


def patient_digest(patient: str) -> str:
    """Return the first 8 hexadecimal digits of the SHA-256 of a public id, or of one in a file that was made so.

    Whoever has the digest finds the id by trying, where ids are as few as record numbers are.
    """
    return hashlib.sha256(patient.encode(errors="surrogateescape")).hexdigest()[:8]


def seen_entries(patients: Iterable[str], *, key: PatientKey | None) -> tuple[str, ...]:
    """Return what a file that travels holds of the patients seen, sorted: plain digests of public ids, else pseudonyms.

    Args:
        patients: ids or pseudonyms.
        key: what pseudonyms are made with; None where the user said that all the ids are public, or they are by form.
    """

    def entry(patient: str) -> str:
        if is_pseudonym(patient):
            return patient
        return patient_digest(patient) if key is None or is_public(patient) else key.pseudonym(patient)

    return tuple(sorted({entry(patient) for patient in patients}))


def key_ids(entries: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the keys that pseudonyms among entries or names were made with, sorted."""
    return tuple(sorted({found[1] for entry in entries if (found := _PSEUDONYM.fullmatch(entry))}))


def not_comparable(entries: Iterable[str], keys: Sequence[PatientKey]) -> int:
    """Count the entries of which nobody can tell here who they are: pseudonyms of a key that is not among `keys`."""
    known = {key.id for key in keys}
    found = (_PSEUDONYM.fullmatch(entry) for entry in entries)
    return sum(match is not None and match[1] not in known for match in found)


def seen_among(patients: Iterable[str], entries: Iterable[str], keys: Sequence[PatientKey] = ()) -> list[str]:
    """Return those of `patients`, in their order, who are among the entries of a contract as far as `keys` tell."""
    known = set(entries)

    def names(patient: str) -> set[str]:
        return {patient_digest(patient), *(key.pseudonym(patient) for key in keys)} | (
            {patient} if is_pseudonym(patient) else set()
        )

    return [patient for patient in patients if known & names(patient)]


def named(names: Iterable[str], patients: Iterable[str], keys: Sequence[PatientKey]) -> tuple[str, ...]:
    """Return names with pseudonyms turned back into those of `patients` whom `keys` recognise; the others stay."""
    back = {key.pseudonym(patient): patient for key in keys for patient in patients}
    return tuple(back.get(name, name) for name in names)


def renewed(
    entries: Iterable[str], patients: Iterable[str], *, keys: Sequence[PatientKey], key: PatientKey | None
) -> tuple[str, ...]:
    """Return entries, sorted, in which those that stand for `patients` are as `seen_entries` makes them now.

    Args:
        entries: pseudonyms and plain digests, such as recorded ranges hold.
        patients: ids.
        keys: the site's, which tell who pseudonyms are.
        key: as for `seen_entries`.
    """
    back = {entry: p for p in patients for entry in (patient_digest(p), *(one.pseudonym(p) for one in keys))}
    given = tuple(entries)
    told = seen_entries((back[entry] for entry in given if entry in back), key=key)
    return tuple(sorted({*told, *(entry for entry in given if entry not in back)}))


def count_seen(
    patients: Sequence[str],
    entries: Iterable[str],
    *,
    artifact: str,
    keys: Sequence[PatientKey] = (),
    allow_seen: bool = False,
) -> int:
    """Count the patients to score that training or calibration of an artifact saw.

    Args:
        patients: ids.
        entries: what the artifact's contract holds of those it saw.
        artifact: names it.
        keys: the site's, which tell who pseudonyms are; see `not_comparable` for what they do not tell.
        allow_seen: count them only.

    Raises:
        SeenPatientError: when there is one and `allow_seen` is off; names how many and the first few.
    """
    seen = seen_among(patients, entries, keys)
    if seen and not allow_seen:
        more = f" and {len(seen) - NAMED_PATIENTS} more" if len(seen) > NAMED_PATIENTS else ""
        raise SeenPatientError(
            f"training or calibration of {artifact} saw {len(seen)} of the {len(patients)} patients given: "
            f"{', '.join(seen[:NAMED_PATIENTS])}{more}. A score counts only on patients a model has never seen; choose "
            "others with --patients or --split, leave them out with --unseen, or add --allow-seen, which marks the "
            "table"
        )
    return len(seen)


def refuse_calibrated(patients: Iterable[str], entries: Iterable[str], keys: Sequence[PatientKey] = ()) -> None:
    """Refuse to go on when a patient to score lent slices to calibration; `entries` are ids or what ranges hold of who.

    Raises:
        SeenPatientError: naming the first.
    """
    known = set(entries)
    scored = list(patients)
    if shared := sorted({*seen_among(scored, known, keys), *(known & set(scored))}):
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
