"""Patients one after another: each is written whole as it is done, and one who fails costs the others nothing."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.artifacts import staged_tree
from edgeseg.data.scan import SourcedScan
from edgeseg.errors import (
    ArtifactError,
    ContractError,
    DataError,
    DatasetError,
    EdgeSegError,
    OutputError,
    ScratchError,
)
from edgeseg.progress import Progress
from edgeseg.results import FAILED, PatientSegmentation
from edgeseg.specs import LGG, ChannelSet, RunOptions
from edgeseg.stages.segment.apart.files import open_apart
from edgeseg.stages.segment.case import segment_case
from edgeseg.stages.segment.identity import inputs_digest, options_digest, place_digest
from edgeseg.stages.segment.inputs import Planned, plan
from edgeseg.stages.segment.names import named, safe_name
from edgeseg.stages.segment.salt import keep_salt
from edgeseg.stages.segment.summary import Summary
from edgeseg.workers.apart import Pool

if TYPE_CHECKING:
    from edgeseg.runtime import Segmenter

OnPatient = Callable[[PatientSegmentation, bool], None]
"""Called with a row, and whether an earlier run had done it."""

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.ENOMEM})
_LOG = logging.getLogger(__name__)


def plan_each(paths: Iterable[Path], options: RunOptions, channels: ChannelSet = LGG) -> tuple[Planned, ...]:
    """Plan paths; one that cannot be planned is a scan that fails as it is opened, unless all do.

    Raises:
        DataError: when a path does not exist, nothing can be planned, or two folders claim one patient.
        OptionError: for options that contradict each other.
    """
    given = tuple(dict.fromkeys(paths))
    try:
        return plan(given, options, channels)
    except DataError:
        parts = _parts(given)
        if len(parts) < 2 or not all(path.exists() for path in given):
            raise
        planned: list[Planned] = []
        good: list[Path] = []
        for part in parts:
            try:
                plan(part, options, channels)
                good += part
            except DataError as error:
                planned.append(Planned(source=str(part[0]), slices=0, open=_raising(error), paths=part))
        if not good or len(good) == len(given):
            raise
        return (*plan(good, options, channels), *planned)


def _parts(given: tuple[Path, ...]) -> tuple[tuple[Path, ...], ...]:
    """Take paths apart into those that cannot be one patient's: folders, and the files of each folder."""
    parts: dict[Path, list[Path]] = {}
    for path in given:
        parts.setdefault(path if path.is_dir() else path.parent, []).append(path)
    return tuple(map(tuple, parts.values()))


def _raising(error: DataError) -> Callable[[], SourcedScan]:
    def fail() -> SourcedScan:
        raise error

    return fail


class Naming(Enum):
    """What DICOM patients are called by: the user's salt, the one that the folder keeps, or one of this run."""

    GIVEN, KEPT, DRAWN = "given", "kept", "drawn"


class Patients:
    """Segments scans into a folder that this run holds."""

    def __init__(
        self,
        segmenter: Segmenter,
        model_sha256: str,
        options: RunOptions,
        out: Path,
        summary: Summary,
        on_patient: OnPatient | None,
        *,
        naming: Naming,
        pool: Pool | None = None,
    ) -> None:
        """Take what all patients share.

        Args:
            segmenter: the open artifact.
            model_sha256: its digest.
            options: of the run.
            out: where the patients' folders go.
            summary: what is known of them.
            on_patient: see `OnPatient`.
            naming: what DICOM patients are called by.
            pool: where scans are read; None for this process.
        """
        self._pool, self._naming = pool, naming
        self._segmenter, self._sha256, self._options = segmenter, model_sha256, options
        self._out, self._summary, self._on_patient = out, summary, on_patient or (lambda _row, _before: None)
        self._options_digest = options_digest(options)
        self._taken: dict[str, str] = {}
        self._opened: str | None = None

    def run(
        self, planned: tuple[Planned, ...], *, check: Callable[[], None], resume: bool, progress: Progress | None
    ) -> None:
        """Segment scans, and write the summary whatever way it ends.

        Args:
            planned: the scans.
            check: raises where the model has changed; called before a patient's masks are moved to their place.
            resume: pass over those that were done.
            progress: as for `edgeseg.stages.segment.run`.

        Raises:
            EdgeSegError: where only one scan was planned, or all that follow would fail as well.
        """
        count = _Count(sum(one.slices for one in planned), progress)
        try:
            for one in planned:
                digest = inputs_digest(one.paths, without=self._out)
                if resume and (row := self._done(digest)) is not None:
                    self._taken[row.patient] = one.source
                    count.pass_over(one.slices)
                    self._on_patient(row, True)
                    continue
                try:
                    row = self._segment(one, digest, count, check)
                except Exception as error:
                    if len(planned) == 1 or _ends_all(error):
                        raise
                    row = self._failed(one, digest, error)
                self._summary.add(row, _label(one))
                self._on_patient(row, False)
        finally:
            self._summary.write_what_is_new()

    def _done(self, digest: str) -> PatientSegmentation | None:
        """Return the row of an earlier run that a new one would not change."""
        row = self._summary.of_inputs(digest)
        same = row is not None and (row.model_sha256, row.options_digest) == (self._sha256, self._options_digest)
        return row if row is not None and same and self._summary.is_whole(row) else None

    def _segment(self, one: Planned, digest: str, count: _Count, check: Callable[[], None]) -> PatientSegmentation:
        self._opened = None
        opened = self._open(one)
        try:
            scan = named(opened, self._earlier_name(digest))
            if scan.name in self._taken:
                raise DatasetError(
                    f"{self._taken[scan.name]} and {one.source} are both '{scan.name}'; rename one, or run them "
                    "separately with another --out"
                )
            if scan.kind != "dicom" and self._summary.is_of_another(scan.name, place_digest(one.source)):
                raise DatasetError(
                    f"{self._out} has masks of another '{scan.name}', from another folder, and those of {one.source} "
                    "would take their place; rename the folder, or choose another --out"
                )
            self._opened = scan.name if scan.kind != "dicom" or self._naming is not Naming.DRAWN else None
            count.total += len(scan.slice_names) - one.slices
            with staged_tree(self._out) as folder:
                row = segment_case(self._segmenter, scan, folder, self._options, self._sha256, count.advance)
                if inputs_digest(one.paths, without=self._out) != digest:
                    raise DatasetError(f"{one.source}: its files were changed while they were read; run it again")
                check()
            if scan.kind == "dicom" and self._naming is Naming.DRAWN and self._options.salt is not None:
                keep_salt(self._out, self._options.salt)
            self._taken[scan.name] = one.source
            return self._signed(row, one, digest)
        finally:
            opened.close()

    def _open(self, one: Planned) -> SourcedScan:
        if self._pool is None or one.request is None:
            return one.open()
        return open_apart(one.request, self._pool)

    def _earlier_name(self, digest: str) -> str | None:
        """Return what an earlier run called the patient whom these files are of, unless the user gave the salt."""
        row = self._summary.of_inputs(digest) if self._naming is not Naming.GIVEN else None
        return row.patient if row is not None and row.input == "dicom" and row.patient not in self._taken else None

    def _signed(self, row: PatientSegmentation, one: Planned, digest: str) -> PatientSegmentation:
        return replace(
            row,
            model=self._segmenter.path.name,
            model_sha256=self._sha256,
            inputs_digest=digest,
            place_digest=place_digest(one.source),
            options_digest=self._options_digest,
        )

    def _failed(self, one: Planned, digest: str, error: Exception) -> PatientSegmentation:
        _LOG.debug("%s failed", one.source, exc_info=error)
        wanted = self._opened or self._earlier_name(digest) or _label(one)
        name, number = wanted, 1
        while name in self._taken or self._summary.is_of_another(name, place_digest(one.source)):
            number += 1
            name = f"{wanted} ({number})"
        self._taken[name] = one.source
        row = PatientSegmentation(
            patient=name,
            slices=0,
            slices_with_tumour=0,
            tumour_pixels=0,
            latency_ms_p50=0.0,
            latency_ms_p95=0.0,
            total_ms=0.0,
            warnings=(),
            masks=(),
            input="",
            status=FAILED,
            reason=safe_name(_reason(error)),
        )
        return self._signed(row, one, digest)


class _Count:
    """Slices that are done, out of those that are known of."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total, self._done, self._progress = total, 0, progress

    def advance(self, label: str) -> None:
        """Count a slice."""
        self._done += 1
        if self._progress:
            self._progress(self._done, self.total, label)

    def pass_over(self, slices: int) -> None:
        """Take slices out of those that are to be done."""
        self.total -= slices


def _label(one: Planned) -> str:
    """Name a scan that could not be opened: by the file or folder that was given."""
    return safe_name(Path(one.source).name) or "patient"


def _reason(error: Exception) -> str:
    if isinstance(error, EdgeSegError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}"
    return f"internal error: {type(error).__name__}; this is a fault of edgeseg; run it alone with --debug to see where"


def _ends_all(error: Exception) -> bool:
    """Whether the patients that follow would fail as well: the model cannot be run, or the disk is full."""
    if isinstance(error, (ArtifactError, ContractError)):
        return True
    if isinstance(error, ScratchError):
        return False
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _OF_THE_DISK and isinstance(error, (OutputError, OSError)):
            return True
        cause = cause.__cause__
    return False
