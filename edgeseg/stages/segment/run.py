"""Segment scans with one artifact and write masks: what `edgeseg run` does, on the base install."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from edgeseg import __version__
from edgeseg.artifacts import locked, staged_tree
from edgeseg.errors import ArtifactError, DatasetError, OptionError
from edgeseg.jsonio import to_json
from edgeseg.results import PatientSegmentation, RunResult
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model_files import model_sha256
from edgeseg.specs import RunOptions
from edgeseg.stages.segment.case import segment_case
from edgeseg.stages.segment.inputs import Planned, plan

SUMMARY_FILE = "summary.json"

Progress = Callable[[int, int, str], None]


def run(
    model: Path,
    paths: Iterable[Path] = (),
    *,
    out: Path,
    threads: int = 2,
    options: RunOptions | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Segment scans: masks into `<out>/<patient>/` and `<out>/summary.json`.

    What the contract's post-processing drops goes by its rule for volumes where a patient's folder, NIfTI or DICOM was
    given, and by its rule for lone slices where files were. One slice is in memory at a time, and of a volume the runs
    of its tumour pixels (see `edgeseg.runtime.stream`). Everything is written into a hidden folder inside `out` and
    moved to its place when the last slice is done, so an input that fails leaves nothing new behind.

    Args:
        model: a `.onnx` or `.tflite` artifact with a contract.
        paths: slices, patients' folders, folders of patients, 4-D NIfTI files, folders of NIfTI or DICOM; see `plan`.
        out: where the masks go; made when absent, masks of the same name are replaced.
        threads: for the runtime.
        options: sequences named one by one, formats, pictures, spacing.
        progress: called after each slice with how many are done, how many are known of, and its name.

    Raises:
        ArtifactError: when the model is missing, damaged, cannot be run, or changes while it runs.
        ContractError: when it has no contract that can be honoured.
        MissingExtraError: for `.tflite`, NIfTI or DICOM without the library that reads it.
        DatasetError: when the paths hold nothing to segment, or two of them the same.
        ImageError: when a file cannot be used as a slice.
        OptionError: for options out of range, or when masks would be written among the slices.
        OutputError: when `out` cannot be written, or another run writes there.
    """
    start = time.perf_counter()
    options = options or RunOptions()
    options = options if options.salt is not None else replace(options, salt=secrets.token_hex(16))
    known_sha256 = model_sha256(model) if model.is_file() else ""
    segmenter = Segmenter.load(model, threads=threads, contract=options.contract)
    load_ms = (time.perf_counter() - start) * 1e3
    planned = plan(paths, options)
    _refuse_writing_among_slices(planned, out)
    with staged_tree(out) as folder, locked(out):
        patients = _segment_all(segmenter, planned, folder, options, known_sha256, progress)
        if not model.is_file() or model_sha256(model) != known_sha256:
            raise ArtifactError(
                f"{model}: the model was changed while it ran, so it is unclear which one drew the masks; nothing was "
                "written; run again"
            )
        result = RunResult(
            model=segmenter.path.name,
            model_sha256=known_sha256,
            contract=replace(segmenter.contract, golden=None),
            runtime=segmenter.runtime,
            threads=segmenter.threads,
            numerics=segmenter.numerics,
            edgeseg=__version__,
            patients=patients,
            load_ms=load_ms,
            total_ms=(time.perf_counter() - start) * 1e3,
        )
        (folder / SUMMARY_FILE).write_text(to_json(result) + "\n", encoding="utf-8")
    return result


def _segment_all(
    segmenter: Segmenter,
    planned: tuple[Planned, ...],
    folder: Path,
    options: RunOptions,
    model_sha256: str,
    progress: Progress | None,
) -> tuple[PatientSegmentation, ...]:
    done, total = 0, sum(one.slices for one in planned)
    names: dict[str, str] = {}
    patients = []

    def advance(label: str) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total, label)

    for one in planned:
        scan = one.open()
        try:
            if scan.name in names:
                raise DatasetError(
                    f"{names[scan.name]} and {one.source} are both '{scan.name}'; rename one, or run them separately "
                    "with another --out"
                )
            names[scan.name] = one.source
            total += len(scan.slice_names) - one.slices
            patients.append(segment_case(segmenter, scan, folder, options, model_sha256, advance))
        finally:
            scan.close()
    return tuple(patients)


def _refuse_writing_among_slices(planned: tuple[Planned, ...], out: Path) -> None:
    for one in planned:
        if one.folder is not None and out.resolve() / one.folder.name == one.folder:
            raise OptionError(
                f"--out {out} would put predicted masks among the slices in {one.folder}, where they could be taken "
                "for reference masks; choose another folder"
            )
