"""Where a sequence comes from, as far as its files tell; what is compared before sequences are taken for one patient.

All that could name somebody is a salted hash, which can be compared and not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from edgeseg.data.recognise.table import KNOWN
from edgeseg.data.recognise.words import words_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whose, when and where; each is None where the files do not say.

    Attributes:
        patient: hash of the patient's id.
        person: hash of name, date of birth and sex.
        study: hash of the study.
        frame: hash of the frame of reference: positions in one frame can be compared.
        day: of the study.
        label: the part of a file's name that names somebody rather than a sequence.
        visit: the session or date in a file's name.
        space: `scanner` or `template`, by the code of a NIfTI header.
    """

    patient: str | None = None
    person: str | None = None
    study: str | None = None
    frame: str | None = None
    day: date | None = None
    label: str | None = None
    visit: str | None = None
    space: str | None = None


_VISIT = re.compile(
    r"(?<![a-z0-9])ses-?([a-z0-9]+)|(?<!\d)((?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])\3(?:0[1-9]|[12]\d|3[01]))(?=\d{6}(?!\d)|(?!\d))",
    re.IGNORECASE,
)


def visit_of(name: str) -> str | None:
    """Find the session (`ses-02`) or the date (`20200131`, `2020-01-31`) in a file's name; the first of them."""
    found = _VISIT.search(name)
    return None if found is None else (found[1] or re.sub(r"\D", "", found[2])).casefold()


def label_of(name: str) -> str | None:
    """Find the part of a file's name that names somebody: what stands before the first word about a sequence.

    `P1_ax_flair_3` has `p1`, `flair_P1` has `p1`, `flair` and `flair_3` have none.
    """
    if subject := re.match(r"sub-?([a-z]*\d[a-z0-9]*|-[a-z0-9]+)", name, re.IGNORECASE):
        return subject[0].casefold()
    parts = [part for part in re.split(r"[_\-. ]+", _VISIT.sub("", name)) if part]
    known = [all(word in KNOWN or word.isdigit() for word in words_of(part)) and not part.isdigit() for part in parts]
    if True not in known:
        return None
    first = known.index(True)
    before = parts[:first] or [
        part for part, is_known in zip(parts, known, strict=True) if not is_known and not part.isdigit()
    ]
    return "_".join(before).casefold() or None
