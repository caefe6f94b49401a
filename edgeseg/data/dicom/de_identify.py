"""Takes out of a DICOM result of edgeseg what says whose it is, by the table in `edgeseg.specs.de_identify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeseg.data.pseudonym import Pseudonyms
from edgeseg.specs.de_identify import KEPT, METHOD, PROFILE, Action

_OF_THE_STANDARD = "1.2.840.10008."
_MIDNIGHT = "000000"


def de_identify_file(path: Path, pseudonyms: Pseudonyms) -> None:
    """De-identify a file that edgeseg wrote, in its place.

    Raises:
        OSError: when it cannot be read or written.
    """
    from pydicom import dcmread

    made = de_identified(dcmread(path), pseudonyms)
    made.save_as(path, enforce_file_format=True)


def de_identified(made: Any, pseudonyms: Pseudonyms) -> Any:
    """De-identify a SEG, a report or a secondary capture as edgeseg makes them; gives the same data set.

    What is not in the table goes, private attributes too. Several files of one study stay together, for one UID
    becomes the same one in all of them.
    """
    number = patient_number(made)
    for element in list(made):
        action = KEPT.get(element.keyword)
        if action is None:
            del made[element.tag]
        elif action is Action.UID:
            element.value = _other(element.value, pseudonyms)
        elif action is Action.MOVED:
            element.value = pseudonyms.moved(str(element.value), number)
        elif action is Action.PSEUDONYM:
            element.value = pseudonyms.patient(number)
        elif action is Action.EMPTY:
            element.value = ""
        elif action is Action.MIDNIGHT:
            element.value = _MIDNIGHT
        elif element.VR == "SQ":
            for item in element.value:
                _within(item, pseudonyms, number)
    _say_so(made)
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.preamble = b"\0" * 128
    return made


def patient_number(header: Any) -> str:
    """Give what a patient is known by: the number in a header, else name and date of birth."""
    number = str(header.get("PatientID") or "").strip()
    return number or f"{header.get('PatientName') or ''}\0{header.get('PatientBirthDate') or ''}"


def _within(item: Any, pseudonyms: Pseudonyms, number: str) -> None:
    for element in list(item):
        if element.tag.is_private:
            del item[element.tag]
        elif element.VR == "SQ":
            for below in element.value:
                _within(below, pseudonyms, number)
        elif element.VR == "UI":
            element.value = _other(element.value, pseudonyms)
        elif element.VR == "PN":
            element.value = ""
        elif element.VR == "DA":
            element.value = pseudonyms.moved(str(element.value), number)
        elif element.VR == "TM":
            element.value = _MIDNIGHT
        elif element.VR == "DT":
            element.value = pseudonyms.moved(str(element.value), number) + _MIDNIGHT


def _other(value: Any, pseudonyms: Pseudonyms) -> Any:
    if isinstance(value, str):
        return value if not value or value.startswith(_OF_THE_STANDARD) else pseudonyms.uid(value)
    return [_other(str(one), pseudonyms) for one in value or ()]


def _say_so(made: Any) -> None:
    from pydicom.dataset import Dataset

    made.PatientIdentityRemoved, made.DeidentificationMethod = "YES", METHOD
    made.LongitudinalTemporalInformationModified = "MODIFIED"
    codes = []
    for code, meaning in PROFILE:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "DCM", meaning
        codes.append(item)
    made.DeidentificationMethodCodeSequence = codes
