"""Segment scans with one artifact and write masks: what `edgeseg run` does, on the base install."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg import __version__, networks
from edgeseg.artifacts import refuse_links
from edgeseg.data.pseudonym import PSEUDONYM
from edgeseg.errors import ArtifactError, OptionError
from edgeseg.place import claimed
from edgeseg.progress import Progress
from edgeseg.results import PatientSegmentation, RunResult
from edgeseg.specs import RunOptions
from edgeseg.stages.segment.apart.files import ENTRY
from edgeseg.stages.segment.clock import ms_since
from edgeseg.stages.segment.dealt.crew import Crew
from edgeseg.stages.segment.dealt.task import Job
from edgeseg.stages.segment.each import plan_each
from edgeseg.stages.segment.inputs import Planned
from edgeseg.stages.segment.names import safe_name, why_reserved
from edgeseg.stages.segment.patients import Naming, OnPatient, Patients
from edgeseg.stages.segment.salt import drawn_salt, kept_salt
from edgeseg.stages.segment.summary import Summary, read_rows
from edgeseg.workers.apart import Pool

if TYPE_CHECKING:
    from edgeseg.runtime import Segmenter

MOST_WORKERS = 64


def run(
    model: Path,
    paths: Iterable[Path] = (),
    *,
    out: Path,
    threads: int = 2,
    options: RunOptions | None = None,
    resume: bool = False,
    workers: int = 1,
    ray: str | None = None,
    progress: Progress | None = None,
    on_patient: OnPatient | None = None,
) -> RunResult:
    """Segment scans: masks into `<out>/<patient>/` and `<out>/summary.json`.

    What the contract's post-processing drops goes by its rule for volumes where a patient's folder, NIfTI or DICOM was
    given, and by its rule for lone slices where files were. One slice is in memory at a time, and of a volume the runs
    of its tumour pixels (see `edgeseg.runtime.stream`). A patient is written into a hidden folder inside `out` and
    moved to its place when its last slice is done. A patient who fails is a row of the summary that says why, and the
    others go on; where only one was given, the error is raised and nothing new is left behind. Rows of earlier runs
    into `out` stay in the summary, but for those of patients who are segmented again.

    Args:
        model: a `.onnx` or `.tflite` artifact with a contract.
        paths: slices, patients' folders, folders of patients, 4-D NIfTI files, folders of NIfTI or DICOM; see `plan`.
        out: where the masks go; made when absent, masks of the same name are replaced.
        threads: for the runtime.
        options: sequences named one by one, formats, pictures, spacing.
        resume: pass over patients whom an earlier run segmented with the same model and options from the same files.
        workers: how many processes segment patients at once, with so many `threads` each; masks and rows are the same.
        ray: address of a cluster whose workers do it instead, `local` for this machine.
        progress: called after each slice with how many are done, how many are known of, and its name; where workers
            segment, after each patient.
        on_patient: called with the row of each patient that is done or failed, and whether an earlier run had done it.

    Raises:
        ArtifactError: when the model is missing, damaged, cannot be run, or changes while it runs.
        ContractError: when it has no contract that can be honoured.
        MissingExtraError: for `.tflite`, NIfTI or DICOM without the library that reads it.
        DatasetError: when the paths hold nothing to segment, two of them the same, or one patient who fails.
        ImageError: when the only patient given has a file that cannot be used as a slice.
        OptionError: for options out of range, a patient whose name is reserved, or when masks would be written among
            the slices.
        OutputError: when `out` cannot be written, holds a summary that is none or a link where a patient's folder goes,
            or another run writes there.
    """
    start = time.perf_counter()
    options = options or RunOptions()
    _check_workers(workers, ray)
    kept = kept_salt(out) if options.salt is None else None
    salted = options if options.salt is not None else replace(options, salt=kept or drawn_salt())
    opened = _Model.load(model, threads, salted)
    planned = plan_each(paths, salted, opened.segmenter.contract.channel_set)
    _refuse_writing_among_slices(planned, out)
    _refuse_names(planned, out)
    with claimed(out):
        if options.de_identify:
            _refuse_named(out)
        summary = Summary(out, lambda rows: opened.result(rows, start))
        naming = Naming.GIVEN if options.salt is not None else Naming.KEPT if kept else Naming.DRAWN
        with contextlib.ExitStack() as stack:
            pool = stack.enter_context(Pool(ENTRY, spare=0)) if options.untrusted else None
            patients = Patients(
                opened.segmenter, opened.sha256, salted, out, summary, on_patient, naming=naming, pool=pool,
                crew=opened.crew(salted, workers, ray),
            )  # fmt: skip
            patients.run(planned, check=opened.check, resume=resume, progress=progress)
        return summary.write()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """The artifact that is open, and what its file was when it was opened."""

    path: Path
    segmenter: Segmenter
    sha256: str
    load_ms: float

    @classmethod
    def load(cls, path: Path, threads: int, options: RunOptions) -> _Model:
        from edgeseg.runtime import Segmenter
        from edgeseg.runtime.model_files import model_sha256

        start = time.perf_counter()
        known = model_sha256(path) if path.is_file() else ""
        segmenter = Segmenter.load(path, threads=threads, contract=options.contract)
        return cls(path=path, segmenter=segmenter, sha256=known, load_ms=ms_since(start))

    def check(self) -> None:
        """Refuse masks of a model whose file is another by now."""
        from edgeseg.runtime.model_files import model_sha256

        if not self.path.is_file() or model_sha256(self.path) != self.sha256:
            raise ArtifactError(
                f"{self.path}: the model was changed while it ran, so it is unclear which one drew the masks of the "
                "patient under way; nothing of them was written; run again"
            )

    def crew(self, options: RunOptions, workers: int, ray: str | None) -> Crew | None:
        """Give who segments several patients; None for this process."""
        if workers == 1 and ray is None:
            return None
        job = Job.of(self.path, self.sha256, self.segmenter.threads, options)
        return Crew(job=job, workers=workers, ray=ray)

    def result(self, rows: tuple[PatientSegmentation, ...], start: float) -> RunResult:
        """Describe the run that leaves these rows."""
        return RunResult(
            model=self.segmenter.path.name,
            model_sha256=self.sha256,
            contract=replace(self.segmenter.contract, golden=None),
            runtime=self.segmenter.runtime,
            threads=self.segmenter.threads,
            numerics=self.segmenter.numerics,
            edgeseg=__version__,
            patients=rows,
            load_ms=self.load_ms,
            total_ms=ms_since(start),
            network=networks.name_of_file(self.sha256),
        )


def _check_workers(workers: int, ray: str | None) -> None:
    if not 1 <= workers <= MOST_WORKERS:
        raise OptionError(
            f"--workers is {workers}; it lies between 1 and {MOST_WORKERS}, and more than cores help little"
        )
    if ray is not None and workers != 1:
        raise OptionError(
            f"--workers {workers} was given beside --ray, which takes what the cluster has; leave one out"
        )


def _refuse_named(out: Path) -> None:
    """Refuse to add results without names to those under names."""
    for row in read_rows(out):
        if not row.patient.startswith(PSEUDONYM):
            raise OptionError(f"{out} has results under names; with --de-identify choose another --out")


def _refuse_names(planned: tuple[Planned, ...], out: Path) -> None:
    """Refuse patients whose folders cannot be made in `out`, or would be written through a link."""
    for one in planned:
        if one.name is not None and (why := why_reserved(one.name)) is not None:
            raise OptionError(f"{one.source}: its patient would be called '{one.name}', and {why}; rename it")
    refuse_links(out, (safe_name(one.name) for one in planned if one.name is not None))


def _refuse_writing_among_slices(planned: tuple[Planned, ...], out: Path) -> None:
    for one in planned:
        if one.folder is not None and out.resolve() / one.folder.name == one.folder:
            raise OptionError(
                f"--out {out} would put predicted masks among the slices in {one.folder}, where they could be taken "
                "for reference masks; choose another folder"
            )
