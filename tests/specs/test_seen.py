"""Who was seen: pseudonyms that need the key, plain digests of public ids, and old files with plain digests."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import pytest

from edgeseg.errors import OptionError, SeenPatientError
from edgeseg.specs import (
    PatientKey,
    count_seen,
    is_pseudonym,
    key_ids,
    named,
    not_comparable,
    patient_digest,
    refuse_calibrated,
    renewed,
    seen_among,
    seen_entries,
)

KEY, OTHER = PatientKey(secret=bytes(range(32))), PatientKey(secret=bytes(range(32, 64)))
TCGA, PHANTOM, RECORD = "TCGA_CS_4941_19960909", "PHANTOM_PA_2000", "4711042"


def found_by_trying(entries: Iterable[str], digits: int) -> list[str]:
    """Try every record number of so many digits, as one can who has the file and not the key."""
    wanted = {part for entry in entries for part in (entry, *entry.split("-")) if len(part) in (8, 32)}
    starts = {bytes.fromhex(part[:8]) for part in wanted}
    found, lasts = [], [b"%04d" % number for number in range(10**4)]
    for number in range(10 ** (digits - 4)):
        first = b"%0*d" % (digits - 4, number)
        digests = [hashlib.sha256(first + last).digest()[:4] for last in lasts]
        if not starts.isdisjoint(digests):
            found += [(first + last).decode() for last, start in zip(lasts, digests, strict=True) if start in starts]
    return found


def test_an_exhaustive_attempt_over_seven_digits_finds_nobody_without_the_key() -> None:
    hidden = seen_entries((RECORD,), key=KEY)
    plain = (patient_digest("0004711"),)
    # one pass looks for both: that somebody is found through the plain digest shows that the attempt can succeed
    found = found_by_trying((*hidden, *plain), 7)
    assert "0004711" in found
    assert RECORD not in found
    assert all(hashlib.sha256(name.encode()).hexdigest()[:8] in (plain[0], KEY.id) for name in found)


@pytest.mark.parametrize("secret", [b"", bytes(32), b"edgeseg", KEY.id.encode()])
def test_no_key_that_can_be_guessed_makes_the_pseudonym(secret: bytes) -> None:
    (entry,) = seen_entries((RECORD,), key=KEY)
    for message in (RECORD, f"edgeseg patient 1\0{RECORD}"):
        assert hmac.new(secret, message.encode(), hashlib.sha256).hexdigest()[:32] != entry.split("-")[1]


def test_public_ids_are_plain_and_others_are_not() -> None:
    entries = seen_entries((TCGA, PHANTOM, RECORD), key=KEY)
    assert {patient_digest(TCGA), patient_digest(PHANTOM)} < set(entries)
    assert patient_digest(RECORD) not in entries
    assert [entry for entry in entries if is_pseudonym(entry)] == [KEY.pseudonym(RECORD)]


@pytest.mark.parametrize(
    "near",
    ["TCGA_CS_4941", "TCGA_CS_4941_19960909x", "PHANTOM_PA_4711042", "TCGA-CS-4941", "tcga_cs_4941_19960909", ""],
)
def test_what_only_resembles_a_public_id_is_hidden(near: str) -> None:
    (entry,) = seen_entries((near,), key=KEY)
    assert is_pseudonym(entry)


def test_ids_that_the_user_calls_public_are_plain() -> None:
    assert seen_entries((RECORD,), key=None) == (patient_digest(RECORD),)


def test_a_pseudonym_stays_what_it_is() -> None:
    (entry,) = seen_entries((RECORD,), key=KEY)
    assert seen_entries((entry,), key=OTHER) == seen_entries((entry,), key=None) == (entry,)
    assert KEY.pseudonym(entry) == entry


def test_the_seen_are_recognised_where_the_key_is_and_in_old_files_without() -> None:
    hidden = seen_entries((RECORD, TCGA), key=KEY)
    assert seen_among(("1", RECORD, TCGA), hidden, (OTHER, KEY)) == [RECORD, TCGA]
    assert seen_among(("1", RECORD, TCGA), hidden) == [TCGA]
    assert seen_among(("1", RECORD), (patient_digest(RECORD),)) == [RECORD]
    assert seen_among(hidden, hidden) == [entry for entry in hidden if is_pseudonym(entry)]
    with pytest.raises(SeenPatientError, match=RECORD):
        count_seen((RECORD,), hidden, artifact="a", keys=(KEY,))


def test_what_nobody_can_tell_is_counted() -> None:
    entries = (*seen_entries((RECORD, "1"), key=KEY), patient_digest(TCGA))
    assert not_comparable(entries, ()) == not_comparable(entries, (OTHER,)) == 2
    assert not_comparable(entries, (OTHER, KEY)) == 0
    assert key_ids(entries) == (KEY.id,)


def test_names_come_back_where_the_key_is() -> None:
    names = (KEY.pseudonym("1"), KEY.pseudonym("2"), TCGA)
    assert named(names, ("1", "3"), (OTHER, KEY)) == ("1", names[1], TCGA)


def test_entries_are_renewed() -> None:
    old = (patient_digest(RECORD), OTHER.pseudonym("1"), KEY.pseudonym("elsewhere"), patient_digest(TCGA))
    expected = sorted((KEY.pseudonym(RECORD), KEY.pseudonym("1"), KEY.pseudonym("elsewhere"), patient_digest(TCGA)))
    assert list(renewed(old, (RECORD, "1", TCGA), keys=(OTHER,), key=KEY)) == expected


def test_calibration_patients_are_refused_by_id_digest_and_pseudonym() -> None:
    for entries in ((RECORD,), (patient_digest(RECORD),), seen_entries((RECORD,), key=KEY)):
        refuse_calibrated(("1",), entries, (KEY,))
        with pytest.raises(SeenPatientError, match=RECORD):
            refuse_calibrated(("1", RECORD), entries, (KEY,))


def test_a_key_shows_nothing_of_itself_and_has_one_length() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert "secret" not in repr(KEY)
    with pytest.raises(OptionError, match="32 random"):
        PatientKey(secret=b"")
