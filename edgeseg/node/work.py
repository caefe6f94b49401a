"""Makes the results of studies that are complete, one after another; one that fails costs the others nothing."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg import networks
from edgeseg.errors import DataError, EdgeSegError, LimitError, OptionError
from edgeseg.jsonio import to_plain
from edgeseg.node.again import Earlier
from edgeseg.node.capture import draw_capture
from edgeseg.node.count import Counts
from edgeseg.node.place import Place
from edgeseg.node.queue import Queue, Row
from edgeseg.node.report import Finding
from edgeseg.node.wait import Waits
from edgeseg.place import read_salt
from edgeseg.results import PatientSegmentation
from edgeseg.specs import NodeOptions, RunOptions
from edgeseg.specs.node import CAPTURE, REPORT, SEG
from edgeseg.stages.segment.apart.files import open_apart
from edgeseg.stages.segment.case import segment_case
from edgeseg.stages.segment.names import named
from edgeseg.stages.segment.request import ScanRequest
from edgeseg.stages.segment.untold import untold
from edgeseg.workers.apart import Limits, Pool

if TYPE_CHECKING:
    from edgeseg.runtime import Segmenter

_LOG = logging.getLogger("edgeseg.node")
_CALLED, _FORMATS = "study", ("dicom-seg",)
_REFUSAL_S, _REFUSAL_BYTES = 30.0, 64 << 20
_WITHHELD = "the reason is withheld, since it may quote the study; the node's status has it"
_BEGUN_TOO_OFTEN = "the node ended {} times while it worked on this study; it is damaged or hostile"


class Stopped(Exception):  # noqa: N818 (it is no fault)
    """The node was told to stop."""


class Worker:
    """Works on the queue in one thread."""

    def __init__(
        self, queue: Queue, place: Place, pool: Pool, segmenter: Segmenter, sha256: str, options: NodeOptions,
        counts: Counts,
    ) -> None:  # fmt: skip
        """Take what is needed; studies are read in processes of the pool, made for `edgeseg.node.inside`.

        Raises:
            OptionError: when the salt that results are to be de-identified by cannot be read, or is weak.
        """
        self._queue, self._place, self._pool, self._counts = queue, place, pool, counts
        self._segmenter, self._sha256, self._options = segmenter, sha256, options
        self._earlier = Earlier(queue, place)
        self._waits = Waits(options.backoff_s)
        self._salt = os.urandom(32).hex()
        named = options.de_identify_salt
        self._hidden_by = None if named is None else read_salt(Path(named), named_by="de_identify_salt")
        self.stop = threading.Event()

    def step(self) -> bool:
        """Do one study; whether there was any."""
        row = self._queue.claim(but=self._waits.waiting())
        if row is None:
            return False
        if row.attempts > self._options.attempts:
            self._fail(row, _BEGUN_TOO_OFTEN.format(row.attempts - 1))
        elif self._earlier.has_all(row):
            self._place.delete(row.id)
            self._queue.drop(row.id)
            self._counts.ended("again")
            _LOG.info("study %d came again and was done before; nothing is sent", row.id)
        else:
            self._try(row)
        return True

    def _try(self, row: Row) -> None:
        start, folder = time.perf_counter(), self._place.fresh()
        try:
            self._earlier.join(row)
            self._segment(row, folder)
        except Stopped:
            self._give_back(row)
        except (DataError, OptionError) as error:
            if isinstance(error, LimitError) and row.attempts < self._options.attempts:
                self._later(row, error)
            else:
                self._fail(row, str(error))
        except (EdgeSegError, OSError) as error:
            self._give_back(row)
            self._later(row, error)
        except Exception as error:
            if row.attempts < self._options.attempts:
                self._later(row, error)
            else:
                self._fail(row, f"internal error: {type(error).__name__}; this is a fault of edgeseg")
        else:
            self._waits.forget(row.id)
            seconds = time.perf_counter() - start
            self._counts.ended("done", seconds)
            _LOG.info("study %d: %d objects segmented in %.2f s", row.id, row.objects, seconds)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _segment(self, row: Row, folder: Path) -> None:
        options = RunOptions(formats=_FORMATS)
        channels = self._segmenter.contract.channel_set
        request = ScanRequest(path=str(self._place.objects(row.id)), channels=channels, salt=self._salt)
        results = folder / "results"
        scan = open_apart(request, self._pool)
        try:
            shown = named(scan, _CALLED) if self._hidden_by is None else untold(scan, _CALLED)
            found = segment_case(
                self._segmenter, shown, folder, options, self._sha256, lambda _label: self._go_on(), sheet_alone=True
            )
            results.mkdir()
            (seg,) = (folder / _CALLED).glob("*_seg.dcm")
            (sheet,) = (folder / _CALLED).glob("*_contact_sheet.png")
            finding = self._finding(found)
            picture = draw_capture(sheet, finding)
            told = {"seg": str(seg), "folder": str(results), "found": to_plain(finding), "salt": self._hidden_by}
            scan.tell("results", picture, **told)
        finally:
            scan.close()
        seg.replace(results / f"{SEG}.dcm")
        for kind in (SEG, REPORT, CAPTURE):
            _require_plain(results / f"{kind}.dcm")
        self._place.publish(row.id, results)
        self._queue.done(row.id, [one.name for one in self._options.destinations])

    def _finding(self, found: PatientSegmentation) -> Finding:
        contract = self._segmenter.contract
        return Finding(
            volume_ml=found.tumour_volume_ml,
            largest_diameter_mm=found.largest_diameter_mm,
            slices=found.slices,
            slices_with_tumour=found.slices_with_tumour,
            model_sha256=self._sha256,
            variant=contract.variant.slug,
            network=networks.name_of_file(self._sha256),
            target=contract.target,
            classes=found.classes,
            trust=found.trust,
            warnings=tuple(_without_places(one, str(self._place.root)) for one in found.warnings),
        )

    def _go_on(self) -> None:
        if self.stop.is_set():
            raise Stopped

    def _give_back(self, row: Row) -> None:
        """Count no attempt: the study is not to blame."""
        self._queue.change("UPDATE studies SET claimed = 0, attempts = attempts - 1 WHERE id = ?", row.id)

    def _later(self, row: Row, error: Exception) -> None:
        self._queue.release(row.id)
        seconds = self._waits.missed(row.id)
        self._counts.ended("later")
        _LOG.warning("study %d: %s; it is tried again in %.0f s", row.id, type(error).__name__, seconds)

    def _fail(self, row: Row, told: str) -> None:
        reason = _without_places(told, str(self._place.root))
        self._waits.forget(row.id)
        if self._options.report_failures and self._reported(row, reason):
            self._queue.done(row.id, [one.name for one in self._options.destinations], reason)
        else:
            self._queue.fail(row.id, reason)
        self._counts.ended("failed")
        _LOG.error("study %d failed and was set aside; edgeseg node status says why", row.id)

    def _reported(self, row: Row, reason: str) -> bool:
        folder = self._place.fresh()
        limits = Limits(memory_bytes=_REFUSAL_BYTES * 4, cpu_s=_REFUSAL_S, output_bytes=_REFUSAL_BYTES)
        message = {
            "op": "refusal", "objects": str(self._place.objects(row.id)), "path": str(folder / f"{REPORT}.dcm"),
            "reason": reason if self._hidden_by is None else _WITHHELD, "salt": self._hidden_by,
            "model_sha256": self._sha256, "limits": to_plain(limits),
        }  # fmt: skip
        try:
            folder.mkdir()
            with self._pool.lend() as process:
                answer = process.ask(message, seconds=limits.wait_s, left=lambda: float("inf"))
                process.settle({"op": "end"})
            if "error" in answer:
                return False
            _require_plain(folder / f"{REPORT}.dcm")
            self._place.publish(row.id, folder)
        except (EdgeSegError, OSError) as error:
            _LOG.warning("study %d: no report can be made (%s)", row.id, type(error).__name__)
            return False
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return True


def _require_plain(path: Path) -> None:
    """Refuse what the other process left in place of a file.

    Raises:
        LimitError: when it is none.
    """
    if path.is_symlink() or not path.is_file():
        raise LimitError("the process that read the study left no result; the files are damaged or hostile")


def _without_places(text: str, root: str) -> str:
    """Leave names of the node's folders out of a text."""
    words = [word for word in text.split() if word]
    return " ".join("the study:" if word.startswith(root) and word.endswith(":") else word for word in words).replace(
        f"{root}/", ""
    )[:600]
