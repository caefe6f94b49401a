"""Identifiers of DICOM, and the classes of objects that the node takes."""

from __future__ import annotations

import re

MR, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
LEGACY_ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.4"
TAKEN = (MR, ENHANCED_MR, LEGACY_ENHANCED_MR)
"""What scanners call images of MR; the node takes no other class, its own results least of all."""
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
"""A Key Object Selection, which a sender may send last of a study to say that it is complete."""
_UID = re.compile(r"[0-9](?:[0-9.]{0,62}[0-9])?")


def is_uid(text: str) -> bool:
    """Whether text is an identifier: 1 to 64 digits and dots."""
    return _UID.fullmatch(text) is not None
