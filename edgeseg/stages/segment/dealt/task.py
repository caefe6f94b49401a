"""One patient as a worker gets it and gives it back, in plain values; and the work itself, with one open session."""

from __future__ import annotations

import errno
import functools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg import errors
from edgeseg.data.scan import SourcedScan
from edgeseg.errors import ArtifactError, DatasetError, EdgeSegError
from edgeseg.results import PatientSegmentation
from edgeseg.specs import RunOptions
from edgeseg.stages.segment.case import segment_case
from edgeseg.stages.segment.request import ScanRequest
from edgeseg.stages.segment.untold import called

if TYPE_CHECKING:
    from edgeseg.runtime import Segmenter
    from edgeseg.workers.apart import Pool

_KINDS = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, EdgeSegError)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What all patients of a run share: the artifact, whose digest is `sha256`, and what is written."""

    model: str
    sha256: str
    threads: int
    formats: tuple[str, ...] = ()
    overlays: bool = False
    contract: str | None = None
    untrusted: bool = False
    de_identify: bool = False
    salt: str | None = None

    @classmethod
    def of(cls, model: Path, sha256: str, threads: int, options: RunOptions) -> Job:
        """Take from the options what a worker needs; paths are those of here."""
        return cls(
            model=str(model.absolute()),
            sha256=sha256,
            threads=threads,
            formats=options.formats,
            overlays=options.overlays,
            contract=None if options.contract is None else str(options.contract.absolute()),
            untrusted=options.untrusted,
            de_identify=options.de_identify,
            salt=options.salt if options.de_identify else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One patient: what to open, its name where it has one already, and a folder for what is written."""

    request: ScanRequest
    folder: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of a patient: its row, or the kind of an error, its text and its number among those of the system.

    `name` and `input` are the patient's, where it could be opened.
    """

    row: PatientSegmentation | None = None
    error: str = ""
    text: str = ""
    errno: int | None = None
    name: str | None = None
    input: str = ""

    def raised(self) -> Exception:
        """Make the error that was raised over it."""
        kind = _KINDS.get(self.error)
        if kind is None:
            return DatasetError(self.text)
        made = kind.__new__(kind)
        made.args = (self.text,)
        if self.errno is not None:
            made.__cause__ = OSError(self.errno, os.strerror(self.errno))
        return made


LOST = Made(
    error="DatasetError",
    text="the workers that segmented it were killed, each time anew; it may take more memory than there is: run it "
    "alone, or with fewer workers",
)
"""Of a patient over which workers died too often."""


def work(job: Job, task: Task, advance: Callable[[str], None] = lambda _label: None) -> Made:
    """Segment one patient into the task's folder, which is emptied first: it may have been begun before."""
    folder = Path(task.folder)
    name, kind = None, ""
    try:
        _clear(folder)
        segmenter, pool = _opened(job)
        scan = _scan(task.request, pool)
        try:
            options = RunOptions(formats=job.formats, overlays=job.overlays, de_identify=job.de_identify, salt=job.salt)
            scan = called(scan, task.name, options)
            name, kind = scan.name, scan.kind
            return Made(row=segment_case(segmenter, scan, folder, options, job.sha256, advance), name=name, input=kind)
        finally:
            scan.close()
    except Exception as error:
        _clear(folder)
        known = isinstance(error, EdgeSegError)
        told = str(error) if known else told_fault(error)
        return Made(error=type(error).__name__ if known else "", text=told, errno=_errno(error), name=name, input=kind)


def told_fault(error: Exception) -> str:
    """Say what another error than edgeseg's own was, without a traceback."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}"
    return f"internal error: {type(error).__name__}; this is a fault of edgeseg; run it alone with --debug to see where"


def _scan(request: ScanRequest, pool: Pool | None) -> SourcedScan:
    from edgeseg.stages.segment.apart.files import open_apart

    return request.open() if pool is None else open_apart(request, pool)


@functools.lru_cache(maxsize=1)
def _opened(job: Job) -> tuple[Segmenter, Pool | None]:
    """Open the artifact once for each worker."""
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.model_files import model_sha256
    from edgeseg.stages.segment.apart.files import ENTRY
    from edgeseg.workers.apart import Pool

    path = Path(job.model)
    if not path.is_file() or model_sha256(path) != job.sha256:
        raise ArtifactError(f"{path}: it is not the model here that the run began with; have one file on every host")
    segmenter = Segmenter.load(path, threads=job.threads, contract=None if job.contract is None else Path(job.contract))
    return segmenter, Pool(ENTRY, spare=0) if job.untrusted else None


def _clear(folder: Path) -> None:
    """Empty a folder."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _errno(error: BaseException | None) -> int | None:
    while error is not None:
        if isinstance(error, OSError) and error.errno in errno.errorcode:
            return error.errno
        error = error.__cause__
    return None
