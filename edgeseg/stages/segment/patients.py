"""Patients one after another: each is written whole as it is done, and one who fails costs the others nothing."""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.artifacts import staged_tree
from edgeseg.data.pseudonym import Pseudonyms
from edgeseg.data.scan import SourcedScan
from edgeseg.errors import ArtifactError, ContractError, DatasetError, EdgeSegError, OutputError, ScratchError
from edgeseg.progress import Progress
from edgeseg.results import FAILED, PatientSegmentation
from edgeseg.specs import RunOptions
from edgeseg.stages.segment.apart.files import open_apart
from edgeseg.stages.segment.case import segment_case
from edgeseg.stages.segment.count import Count
from edgeseg.stages.segment.dealt.crew import Crew, Staged, dealt
from edgeseg.stages.segment.dealt.task import Made, told_fault
from edgeseg.stages.segment.identity import inputs_digest, options_digest, place_digest
from edgeseg.stages.segment.inputs import Planned
from edgeseg.stages.segment.names import safe_name
from edgeseg.stages.segment.salt import keep_salt
from edgeseg.stages.segment.summary import Summary
from edgeseg.stages.segment.untold import WITHHELD, called, pseudonym_of
from edgeseg.workers.apart import Pool

if TYPE_CHECKING:
    from edgeseg.runtime import Segmenter

OnPatient = Callable[[PatientSegmentation, bool], None]
"""Called with a row, and whether an earlier run had done it."""

Step = tuple[Planned, str, Callable[[], PatientSegmentation]]
"""A patient, the digest of its files, and what gives its row."""

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.ENOMEM})
_LOG = logging.getLogger(__name__)


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
        crew: Crew | None = None,
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
            crew: who segments several patients; None for this process.
        """
        self._pool, self._naming, self._crew = pool, naming, crew
        self._segmenter, self._sha256, self._options = segmenter, model_sha256, options
        self._out, self._summary, self._on_patient = out, summary, on_patient or (lambda _row, _before: None)
        self._options_digest = options_digest(options)
        self._pseudonyms = Pseudonyms(options.salt) if options.de_identify and options.salt is not None else None
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
        count = Count(sum(one.slices for one in planned), progress)
        crew = self._crew if len(planned) > 1 else None
        try:
            with contextlib.closing(self._steps(planned, crew, count, check, resume=resume)) as steps:
                for one, digest, finish in steps:
                    try:
                        row = finish()
                    except Exception as error:
                        if len(planned) == 1 or _ends_all(error):
                            raise
                        row = self._failed(one, digest, error)
                    self._summary.add(row, self._label(one))
                    self._on_patient(row, False)
        finally:
            self._summary.write_what_is_new()

    def _steps(
        self, planned: tuple[Planned, ...], crew: Crew | None, count: Count, check: Callable[[], None], *, resume: bool
    ) -> Generator[Step, None, None]:
        """Give for each patient that is to be segmented what gives its row, to be called before the next is taken."""
        wanted = self._wanted(planned, count, resume=resume)
        if crew is None:
            for one, digest in wanted:
                yield one, digest, functools.partial(self._segment, one, digest, count, check)
            return
        with contextlib.closing(dealt(wanted, crew, self._out, self._name_of)) as given:
            for one, digest, made, staged in given:
                if made is None:
                    yield one, digest, functools.partial(self._segment, one, digest, count, check)
                else:
                    yield one, digest, functools.partial(self._take, one, digest, made, staged, count, check)

    def _inputs(self, one: Planned) -> str:
        """Stand for the files of a patient; under pseudonyms also their places cannot be tried out."""
        return self._hidden(inputs_digest(one.paths, without=self._out))

    def _place(self, one: Planned) -> str:
        return self._hidden(place_digest(one.source))

    def _hidden(self, digest: str) -> str:
        return digest if self._pseudonyms is None else self._pseudonyms.digest(digest)

    def _label(self, one: Planned) -> str:
        """Name a scan that could not be opened: by the file or folder that was given."""
        name = one.called or safe_name(Path(one.source).name) or "patient"
        return name if self._pseudonyms is None else pseudonym_of(name, self._pseudonyms)

    def _reason(self, error: Exception) -> str:
        if self._pseudonyms is not None:
            return f"{type(error).__name__}: {WITHHELD.format('its words are')}"
        return str(error) if isinstance(error, EdgeSegError) else told_fault(error)

    def _wanted(self, planned: tuple[Planned, ...], count: Count, *, resume: bool) -> Iterator[tuple[Planned, str]]:
        """Give the patients that are to be segmented, with the digests of their files."""
        for one in planned:
            digest = self._inputs(one)
            if resume and (row := self._done(digest)) is not None:
                self._taken[row.patient] = one.source
                count.pass_over(one.slices)
                self._on_patient(row, True)
            else:
                yield one, digest

    def _done(self, digest: str) -> PatientSegmentation | None:
        """Return the row of an earlier run that a new one would not change."""
        row = self._summary.of_inputs(digest)
        same = row is not None and (row.model_sha256, row.options_digest) == (self._sha256, self._options_digest)
        return row if row is not None and same and self._summary.is_whole(row) else None

    def _segment(self, one: Planned, digest: str, count: Count, check: Callable[[], None]) -> PatientSegmentation:
        self._opened = None
        opened = self._open(one)
        try:
            scan = called(opened, self._name_of(one, digest), self._options)
            self._claim(one, scan.name, scan.kind)
            count.total += len(scan.slice_names) - one.slices
            with staged_tree(self._out) as folder:
                row = segment_case(self._segmenter, scan, folder, self._options, self._sha256, count.advance)
                self._require_same(one, digest)
                check()
            return self._kept(one, digest, row)
        finally:
            opened.close()

    def _take(
        self, one: Planned, digest: str, made: Made, staged: Staged, count: Count, check: Callable[[], None]
    ) -> PatientSegmentation:
        """Take what a worker made of a patient, as if it had been made here."""
        self._opened = None
        with staged:
            if made.name is not None:
                self._claim(one, made.name, made.input)
            if made.row is None:
                raise made.raised()
            self._require_same(one, digest)
            check()
        count.add(made.row.slices - one.slices, made.row.slices, made.row.patient)
        return self._kept(one, digest, made.row)

    def _claim(self, one: Planned, name: str, kind: str) -> None:
        """Take a patient's name for a scan.

        Raises:
            DatasetError: when another scan of this run, or of an earlier one, has it.
        """
        if name in self._taken:
            raise DatasetError(
                f"{self._taken[name]} and {one.source} are both '{name}'; rename one, or run them "
                "separately with another --out"
            )
        if kind != "dicom" and self._summary.is_of_another(name, self._place(one)):
            raise DatasetError(
                f"{self._out} has masks of another '{name}', from another folder, and those of {one.source} "
                "would take their place; rename the folder, or choose another --out"
            )
        self._opened = name if kind != "dicom" or self._naming is not Naming.DRAWN else None

    def _require_same(self, one: Planned, digest: str) -> None:
        if self._inputs(one) != digest:
            raise DatasetError(f"{one.source}: its files were changed while they were read; run it again")

    def _kept(self, one: Planned, digest: str, row: PatientSegmentation) -> PatientSegmentation:
        """Note what stands in the folder now."""
        if row.input == "dicom" and self._naming is Naming.DRAWN and self._options.salt is not None:
            keep_salt(self._out, self._options.salt)
        self._taken[row.patient] = one.source
        return self._signed(row, one, digest)

    def _open(self, one: Planned) -> SourcedScan:
        if self._pool is None or one.request is None:
            return one.open()
        return open_apart(one.request, self._pool)

    def _name_of(self, one: Planned, digest: str) -> str | None:
        """Return what a patient is called in place of its own name."""
        return one.called or self._earlier_name(digest)

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
            place_digest=self._place(one),
            options_digest=self._options_digest,
        )

    def _failed(self, one: Planned, digest: str, error: Exception) -> PatientSegmentation:
        _LOG.debug("%s failed", one.source, exc_info=error)
        wanted = self._opened or self._earlier_name(digest) or self._label(one)
        name, number = wanted, 1
        while name in self._taken or self._summary.is_of_another(name, self._place(one)):
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
            reason=safe_name(self._reason(error)),
        )
        return self._signed(row, one, digest)


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
