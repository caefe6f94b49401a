"""`summary.json`: the rows of every run into a folder, and what of an earlier run a new one takes the place of."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.errors import OutputError
from edgeseg.jsonio import JsonFormatError, from_json, read_document, to_json
from edgeseg.results import DONE, RESULT_SCHEMA_VERSION, PatientSegmentation, RunResult
from edgeseg.stages.segment.pictures import OVERLAY_ENDING, OVERLAYS, SHEET_ENDING

SUMMARY_FILE = "summary.json"
_PAUSE_S, _PAUSE_SHARE = 2.0, 20


def read_rows(out: Path) -> tuple[PatientSegmentation, ...]:
    """Read the rows of earlier runs; none where there is no summary. A row that names no model gets that of its run.

    Raises:
        OutputError: when a file stands there that is no summary, or one of another schema, which is not written over.
    """
    path = out / SUMMARY_FILE
    advice = "choose another --out, or move it away"
    try:
        found = from_json(RunResult, read_document(path))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise OutputError(f"{path} cannot be read ({error.strerror or error}); {advice}") from error
    except JsonFormatError as error:
        raise OutputError(f"{path} is no summary that patients can be added to ({error}); {advice}") from error
    if found.schema_version != RESULT_SCHEMA_VERSION:
        raise OutputError(
            f"{path} has schema version {found.schema_version} and this edgeseg adds to {RESULT_SCHEMA_VERSION}; "
            f"{advice}"
        )
    return tuple(
        row if row.model_sha256 else replace(row, model=found.model, model_sha256=found.model_sha256)
        for row in found.patients
    )


class Summary:
    """The rows of earlier runs and of this one, in one file that is written after each patient."""

    def __init__(self, out: Path, make: Callable[[tuple[PatientSegmentation, ...]], RunResult]) -> None:
        """Read what is there.

        Args:
            out: the folder.
            make: gives the result for rows.

        Raises:
            OutputError: as `read_rows`.
        """
        self._out, self._make = out, make
        self._rows: dict[str, PatientSegmentation] = {}
        self._of_inputs: dict[str, set[str]] = {}
        for row in read_rows(out):
            self._put(row)
        self._written, self._took, self._changed = 0.0, 0.0, False

    def row(self, patient: str) -> PatientSegmentation | None:
        """Return the row of a patient."""
        return self._rows.get(patient)

    def of_inputs(self, digest: str) -> PatientSegmentation | None:
        """Return the row that was done from the same files."""
        found = (self._rows[name] for name in sorted(self._of_inputs.get(digest, ())))
        return next((row for row in found if row.status == DONE), None)

    def is_of_another(self, patient: str, place: str) -> bool:
        """Whether a patient of this name was done from another folder than the one of the digest `place`."""
        row = self._rows.get(patient)
        return row is not None and row.status == DONE and row.place_digest not in ("", place) and row.input != "dicom"

    def is_whole(self, row: PatientSegmentation) -> bool:
        """Whether all files that a row names are there."""
        return all((self._out / name).is_file() for name in (*row.files, *(mask.mask for mask in row.masks)))

    def add(self, row: PatientSegmentation, label: str) -> None:
        """Put in a row, in the place of the patient's earlier one; `label` is what a failed row of the input was named.

        Files of the earlier row that a new one does not have are removed; those beside a failed row stay, and it names
        them.
        """
        earlier = self._rows.get(row.patient)
        failed = self._rows.get(label)
        if failed is not None and failed.status != DONE and label != row.patient:
            self._drop(failed)
        for name in sorted(self._of_inputs.get(row.inputs_digest, set()) - {row.patient}):
            if row.status == DONE:
                other = self._rows[name]
                self._remove(list(_files(other)), replace(other, files=()))
                self._drop(other)
        if earlier is not None:
            left = sorted({*_files(earlier), *earlier.earlier_files} - set(_files(row)))
            if row.status == DONE:
                self._remove(left, row)
            else:
                there = tuple(name for name in left if (self._out / name).is_file())
                row = replace(row, earlier_files=there)
        self._put(row)
        self._changed = True
        if time.monotonic() - self._written > max(_PAUSE_S, _PAUSE_SHARE * self._took):
            self.write()

    def write_what_is_new(self) -> None:
        """Write the file, where a row is new."""
        if self._changed:
            self.write()

    def write(self) -> RunResult:
        """Write the file; gives what it holds.

        Raises:
            OutputError: when it cannot be written.
        """
        start, result = time.monotonic(), self._make(tuple(self._rows.values()))
        artifacts.write_text(self._out / SUMMARY_FILE, to_json(result) + "\n")
        self._written, self._changed = time.monotonic(), False
        self._took = self._written - start
        return result

    def _put(self, row: PatientSegmentation) -> None:
        if (earlier := self._rows.get(row.patient)) is not None:
            self._of_inputs[earlier.inputs_digest].discard(row.patient)
        self._rows[row.patient] = row
        self._of_inputs.setdefault(row.inputs_digest, set()).add(row.patient)

    def _drop(self, row: PatientSegmentation) -> None:
        del self._rows[row.patient]
        self._of_inputs[row.inputs_digest].discard(row.patient)

    def _remove(self, names: list[str], row: PatientSegmentation) -> None:
        drawn = any(name.endswith(f"{SHEET_ENDING}.png") for name in row.files)
        slices = {mask.slice for mask in row.masks} if drawn else set()
        overlays = (self._out / row.patient / OVERLAYS).glob(f"*{OVERLAY_ENDING}.png")
        stale = [path for path in overlays if path.name.removesuffix(f"{OVERLAY_ENDING}.png") not in slices]
        for path in [*(self._out / name for name in names), *stale]:
            if path.resolve().is_relative_to(self._out.resolve()):
                with contextlib.suppress(OSError):
                    path.unlink()


def _files(row: PatientSegmentation) -> tuple[str, ...]:
    return (*row.files, *(mask.mask for mask in row.masks))
