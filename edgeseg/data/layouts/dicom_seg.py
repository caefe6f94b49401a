"""DICOM series with DICOM SEG as reference: a folder for each patient, with whatever folders and names inside.

    ROOT/<patient>/...    the series of one study, and one DICOM SEG or several that refer to one of these series

The channels of the set are the sequences of the first patient, by the words and figures of their headers; each patient
has to have them. Other series are resampled to the one that the SEG was drawn on, as the runner does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.dicom import DicomSeries
from edgeseg.data.dicom.files import is_dicom
from edgeseg.data.dicom.seg_file import SegFile, class_name, is_seg, read_seg, segment_masks
from edgeseg.data.labels import Labels, chosen
from edgeseg.data.layouts.whole_set import WholeSet, shown, slice_numbers
from edgeseg.data.listing import require_patient, visible_folders
from edgeseg.data.open_scan import list_candidates, open_scan
from edgeseg.data.scan import SequenceScan
from edgeseg.data.sequence_names import BRATS
from edgeseg.data.tree import walk
from edgeseg.data.volume import Volume
from edgeseg.errors import DatasetError, MaskError
from edgeseg.specs import ChannelSet, Region, channel_set

NAME = "dicom-seg"
SHAPE = "DIR/<patient>/ with the DICOM series of one study, and the DICOM SEG that was drawn on one of them"
_LOOKS = 50
_RUNNERS_ADVICE = "; name them with "
"""Of `choose_series`: the runner has options to choose with, a data set has its folders."""
Numbers = Mapping[str, int]
"""The labels of classes by their names."""


def looks_like_dicom_seg(root: Path) -> bool:
    """Whether the first folder holds a DICOM file among its first files."""
    folder = next(iter(visible_folders(root)), None)
    return folder is not None and any(is_dicom(path) for path, _ in zip(walk(folder), range(_LOOKS), strict=False))


def open_dicom_seg(root: Path, labels: str | None) -> StudySet:
    """List the patients and read what their SEGs say of their segments.

    Raises:
        DatasetError: when no patient has a SEG, or the first one's series cannot be told apart.
        MaskError: when a SEG cannot be used.
        MissingExtraError: without pydicom.
        OptionError: for labels that cannot be read.
    """
    studies = {folder.name: _study(folder) for folder in visible_folders(root)}
    told = [one for study in studies.values() for one in study.segs]
    if not told:
        raise DatasetError(f"{root}: no patient has a DICOM SEG; the layout '{NAME}' is {SHAPE}")
    numbers, by_number = _numbers(told)
    if not by_number and labels is not None and any(part.strip().isdecimal() for part in _values(labels)):
        raise DatasetError(
            f"{root}: --labels gives numbers, and the segments of this set are not numbered alike in all files; give "
            f"their names: {', '.join(numbers)}"
        )
    regions = tuple(Region(name=name, values=(number,)) for name, number in numbers.items())
    own = Labels(regions=regions, known=frozenset(numbers.values()))
    first = next(folder for folder in visible_folders(root) if studies[folder.name].segs)
    return StudySet(
        root,
        channels=_channels(first),
        labels=chosen(own, labels, str(root)),
        studies=studies,
        numbers=numbers,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Study:
    """One patient's folder."""

    folder: Path
    files: tuple[Path, ...]
    segs: tuple[SegFile, ...]


class StudySet(WholeSet):
    """Patients as DICOM studies with segmentations."""

    def __init__(
        self, root: Path, *, channels: ChannelSet, labels: Labels, studies: Mapping[str, _Study], numbers: Numbers
    ) -> None:
        """Take the studies; no pixel is read yet."""
        sites = dict.fromkeys(studies, "")
        super().__init__(root, name=root.resolve().name, channels=channels, labels=labels, layout=NAME, sites=sites)
        self._studies, self._numbers = studies, numbers

    def files(self, patient: str) -> tuple[Path, ...]:
        """All DICOM files of a patient, the SEGs last."""
        require_patient(self, patient)
        study = self._studies[patient]
        segs = tuple(seg.path for seg in study.segs)
        return (*(path for path in study.files if path not in segs), *segs)

    def volume(self, patient: str) -> Volume:
        """Read one patient whole, on the grid of the series that the SEG refers to.

        Raises:
            DatasetError: when a channel is missing, or series do not belong together.
            MaskError: when there is no SEG, or it is of another series or grid.
        """
        require_patient(self, patient)
        study = self._studies[patient]
        with self._opened(study) as scan:
            series = scan.reference
            assert isinstance(series, DicomSeries)
            images = np.stack([scan.image(index) for index in range(series.shape[0])])
            masks = self.labels.united(self._masks(study, series), images.shape[:3])
            spacing_mm = series.grid.spacing_mm
        volume = Volume(
            patient=patient,
            institution="",
            images=images,
            masks=masks,
            slice_names=slice_numbers(len(images)),
            channels=self.channels.names,
            classes=self.classes,
            spacing_mm=spacing_mm,
        )
        return shown(volume)

    def _opened(self, study: _Study) -> SequenceScan:
        if not study.segs:
            raise MaskError(f"{study.folder}: the patient has no DICOM SEG; copy it there, or take the patient out")
        (uid, *others) = {seg.series for seg in study.segs}
        if others:
            raise MaskError(
                f"{study.folder}: its DICOM SEGs refer to {1 + len(others)} series; all have to be drawn on one"
            )
        candidates, _, _ = list_candidates(study.folder)
        drawn_on = next((one for one in candidates if one.uid == uid), None)
        if drawn_on is None:
            raise MaskError(
                f"{study.segs[0].path}: the DICOM SEG was drawn on a series that is not in the patient's folder; copy "
                "that series there, or the SEG of these"
            )
        present = {one.judged().channel for one in candidates}
        if missing := [name for name in self.channels.names if name not in present]:
            raise DatasetError(
                f"{study.folder}: no series is told to be '{missing[0]}' by its header, and the channels of this set, "
                f"those of its first patient, are {', '.join(self.channels.names)}; copy the series, or take the "
                "patient out"
            )
        channel = drawn_on.judged().channel
        if channel not in self.channels.names:
            raise MaskError(
                f"{study.segs[0].path}: the DICOM SEG was drawn on a series that is taken for "
                f"{channel or 'none that is known'} ({', '.join(drawn_on.judged().why)}), and the channels of this set "
                f"are {', '.join(self.channels.names)}; take the patient out, or give each patient that series"
            )
        wanted = ChannelSet(names=self.channels.names, reference=channel)
        try:
            return open_scan(study.folder, channels=wanted, series={channel: uid})
        except DatasetError as error:
            said, advice, _ = str(error).partition(_RUNNERS_ADVICE)
            if not advice:
                raise
            raise DatasetError(f"{said}; leave one of them in the patient's folder") from error

    def _masks(self, study: _Study, series: DicomSeries) -> dict[int, NDArray[np.bool_]]:
        """Read the masks of all segments by the labels that the set gives them."""
        found: dict[int, NDArray[np.bool_]] = {}
        for seg in study.segs:
            for number, mask in segment_masks(seg, series).items():
                label = self._numbers[class_name(seg.segments[number], number)]
                if label in found:
                    raise MaskError(
                        f"{seg.path}: two segments of the patient are called '{seg.segments[number]}'; take one out, "
                        "or rename it"
                    )
                found[label] = mask
        return found


def _study(folder: Path) -> _Study:
    files = tuple(path for path in walk(folder) if is_dicom(path))
    return _Study(folder=folder, files=files, segs=tuple(read_seg(path) for path in files if is_seg(path)))


def _channels(folder: Path) -> ChannelSet:
    """Name the channels by the series of one patient."""
    candidates, _, _ = list_candidates(folder)
    found = {one.judged().channel for one in candidates}
    names = tuple(name for name in BRATS if name in found)
    if not names:
        told = ", ".join(f"'{one.name}' ({'; '.join(one.judged().why)})" for one in candidates)
        raise DatasetError(
            f"{folder}: none of its series is told to be one of the known sequences by its header: {told}; describe "
            "them so, or convert them to NIfTI and list them in a CSV"
        )
    return channel_set(names)


def _numbers(told: list[SegFile]) -> tuple[Numbers, bool]:
    """Give the classes of all files their labels, and whether these are the numbers that segments have everywhere."""
    pairs = {(class_name(label, number), number) for seg in told for number, label in seg.segments.items()}
    names = sorted({name for name, _ in pairs})
    if len(names) == len(pairs) == len({number for _, number in pairs}):
        return dict(sorted(pairs, key=lambda pair: pair[1])), True
    return {name: place for place, name in enumerate(names, start=1)}, False


def _values(labels: str) -> list[str]:
    return [value for part in labels.split(",") for value in part.partition("=")[2].split("+")]
