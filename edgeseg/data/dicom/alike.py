"""Whether the files of one series belong together: whose they are, and whether they were acquired and stored alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edgeseg.errors import DatasetError

_OWNERS = {"PatientID": "patients", "StudyInstanceUID": "studies"}
_TIMES = ("EchoTime", "RepetitionTime", "InversionTime")
_TIME_SHARE = 0.2
_LOSSY = "01"


def require_one_owner(headers: Sequence[Any], paths: Sequence[Path], name: str) -> None:
    """Refuse a series of which files are of different patients or studies.

    Args:
        headers: one per file.
        paths: of the files, in the same order.
        name: of the series, for messages.

    Raises:
        DatasetError: with a file of each; nothing that stands in them is told.
    """
    for tag, what in _OWNERS.items():
        values = [_text(header, tag) for header in headers]
        other = next((place for place, value in enumerate(values) if value != values[0]), None)
        if other is not None:
            raise DatasetError(
                f"{name} holds files of {len(set(values))} {what} by their {tag} ({paths[0].name} and "
                f"{paths[other].name} differ); take them apart"
            )


def odd_headers(headers: Sequence[Any]) -> tuple[str, ...]:
    """Say where files of one series differ in what is alike in one acquisition, one sentence each."""
    found = []
    if _vary(headers, lambda header: _text(header, "PatientName").casefold()):
        found.append("slices of the series carry different names of patients")
    if _vary(headers, lambda header: _text(header, "FrameOfReferenceUID")):
        found.append(
            "slices of the series have different frames of reference, so they may not lie where they say, one to "
            "another"
        )
    for tag in _TIMES:
        times = [value for header in headers if (value := _number(header, tag)) is not None]
        if times and max(times) - min(times) > _TIME_SHARE * max(times):
            found.append(
                f"slices of the series differ in {tag} ({min(times):g} to {max(times):g} ms): several acquisitions "
                "seem to be mixed"
            )
    if _vary(headers, lambda header: _number(header, "RescaleSlope") is None):
        found.append("some slices of the series have a RescaleSlope and others none, so their brightness may not match")
    if lossy := sum(_text(header, "LossyImageCompression") == _LOSSY for header in headers):
        found.append(f"{lossy} of {len(headers)} files were compressed with loss, which blurs edges")
    return tuple(found)


def _vary(headers: Sequence[Any], read: Callable[[Any], object]) -> bool:
    plain = [header for header in headers if not header.get("NumberOfFrames")]
    return len({read(header) for header in plain}) > 1


def _text(header: Any, tag: str) -> str:
    return " ".join(str(header.get(tag) or "").split())


def _number(header: Any, tag: str) -> float | None:
    try:
        return float(header.get(tag))
    except (TypeError, ValueError):
        return None
