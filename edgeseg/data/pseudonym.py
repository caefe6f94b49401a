"""Pseudonyms, other UIDs and moved dates, all decided by a salt: the same for the same under one salt."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import date, timedelta

_MOST_DAYS, _DIGITS = 3650, 16
_UUID_ROOT = "2.25."
PSEUDONYM = "patient-"
"""What every pseudonym begins with, those of DICOM studies too."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """What stands for whom; without the salt nothing of it can be traced or tried out.

    Attributes:
        salt: 16 random bytes at least; see `check_salt`.
    """

    salt: str

    def patient(self, number: str) -> str:
        """Name a patient, such as `patient-0123456789abcdef`."""
        return f"{PSEUDONYM}{self._digest('patient', number).hex()[:_DIGITS]}"

    def digest(self, text: str) -> str:
        """Give 32 hex digits for a text; nothing for nothing."""
        return self._digest("digest", text).hex()[:32] if text else ""

    def uid(self, uid: str) -> str:
        """Give another UID for one."""
        return _UUID_ROOT + str(int.from_bytes(self._digest("uid", uid)[:16], "big"))

    def days(self, number: str) -> int:
        """Give by how many days the dates of a patient are moved: 1 to 3650 into the past."""
        return -1 - int.from_bytes(self._digest("days", number)[:8], "big") % _MOST_DAYS

    def moved(self, text: str, number: str) -> str:
        """Move a date of DICOM, `20200131`; what is none becomes nothing.

        The distance between two dates of one patient stays.
        """
        try:
            day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
            return (day + timedelta(days=self.days(number))).strftime("%Y%m%d")
        except (ValueError, OverflowError):
            return ""

    def _digest(self, purpose: str, text: str) -> bytes:
        whole = f"{purpose}\0{text}".encode(errors="surrogateescape")
        return hmac.new(self.salt.encode(errors="surrogateescape"), whole, hashlib.sha256).digest()
