"""What could be a sequence, still closed: a DICOM series, a NIfTI file, a folder of grey slices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeseg.data.origin import Origin
from edgeseg.data.recognise import SeriesFacts, Verdict, judge
from edgeseg.data.recognise.table import AXIAL, CORONAL, SAGITTAL
from edgeseg.data.recognise.words import words_of
from edgeseg.data.sequence import Sequence

_PLANES = {"axial": AXIAL, "coronal": CORONAL, "sagittal": SAGITTAL}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """One series.

    Attributes:
        facts: what tells which sequence it is.
        files: those it consists of.
        origin: whose it is.
        open: opens it; raises `DatasetError` where it cannot be used.
        uid: the series' own in DICOM, to compare with what a user asks for.
    """

    facts: SeriesFacts
    files: tuple[Path, ...]
    origin: Origin
    open: Callable[[], Sequence]
    uid: str = ""

    @property
    def description(self) -> str:
        """The series' own words."""
        return self.facts.description

    @property
    def name(self) -> str:
        """What messages and results call it: of a DICOM series its number and what it is taken for, else its file.

        A description is free text in which a patient's name may stand, so it is left out.
        """
        if not self.uid:
            return self.description
        number = "no number" if self.facts.number is None else str(self.facts.number)
        return f"{number}: {self.judged().channel or 'none that is known'}"

    @property
    def plane(self) -> str:
        """By the header, or by words where it is silent; nothing where neither says."""
        if self.facts.plane:
            return self.facts.plane
        words = words_of(self.description)
        return next((name for name, said in _PLANES.items() if any(word in said for word in words)), "")

    @property
    def axial(self) -> bool:
        """Whether the header says axial and words say no other plane, or the header nothing and words axial."""
        words = words_of(self.description)
        return self.plane == "axial" and not any(word in CORONAL | SAGITTAL for word in words)

    def judged(self, channels: tuple[str, ...] = ()) -> Verdict:
        """Weigh which sequence it is: one of `channels`, or where none are given any that is known."""
        return judge(self.facts, channels)
