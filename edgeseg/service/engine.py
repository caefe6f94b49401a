"""A fixed number of threads that segment, each with a session of its own."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

from edgeseg.data.scan import SourcedScan
from edgeseg.errors import ArtifactError, CheckFailedError, EdgeSegError, LimitError
from edgeseg.jsonio import to_plain
from edgeseg.place import scratch
from edgeseg.results import SegmentAnswer, ServedModel
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model_files import model_sha256
from edgeseg.service.answers import answer_for, describe
from edgeseg.service.deadline import Deadline
from edgeseg.service.inside import ENTRY
from edgeseg.service.masks import SliceMasks
from edgeseg.service.refusal import TOO_LARGE, Refusal, refusal_for
from edgeseg.service.scans import Upload, Wish
from edgeseg.specs import RunOptions, ServeOptions
from edgeseg.stages.segment import segment_case
from edgeseg.stages.segment.apart.scan import Reader
from edgeseg.workers.apart import Limits, Pool

_PICTURES = ("png", "rle", "none")


class Engine:
    """Segments uploads in the order in which they come; `model` says which model does; `told` hears of answers."""

    def __init__(
        self, segmenters: Sequence[Segmenter], model_sha256: str, options: ServeOptions, pool: Pool | None = None
    ) -> None:
        """Start as many threads as there are segmenters; uploads are read in `pool`, by default one of its own."""
        self._readers, self._owns_readers = pool or Pool(ENTRY), pool is None
        self._free: queue.SimpleQueue[Segmenter] = queue.SimpleQueue()
        for segmenter in segmenters:
            self._free.put(segmenter)
        self.model: ServedModel = describe(segmenters[0], model_sha256)
        self.channels = segmenters[0].contract.channel_set
        self._options = options
        self.told: Callable[[SegmentAnswer], None] = lambda _answer: None
        self._pool = ThreadPoolExecutor(len(segmenters), thread_name_prefix="edgeseg-segment")

    @classmethod
    def load(cls, model: Path, options: ServeOptions, contract: Path | None = None, pool: Pool | None = None) -> Self:
        """Open an artifact once per thread, and run its golden case where it carries one.

        Args:
            model: a `.onnx`, `.ort` or `.tflite` file with a contract.
            options: how many threads, and the bounds of a request.
            contract: a JSON file with the contract of a model that carries none.
            pool: processes that read uploads; by default the engine has its own.

        Raises:
            ArtifactError: when the file is missing, damaged, cannot be run, or changes while it is opened.
            ContractError: when it has no contract that can be honoured.
            MissingExtraError: for `.tflite` without ai-edge-litert.
            CheckFailedError: when this host does not draw what the golden case expects.
        """
        known = model_sha256(model) if model.is_file() else ""
        segmenters = [Segmenter.load(model, threads=1, contract=contract) for _ in range(options.threads)]
        if segmenters[0].contract.golden is not None and not (found := segmenters[0].self_test()).passed:
            raise CheckFailedError(
                f"{model}: {found.flipped_pixels} pixels of its golden mask flip on this host and "
                f"{found.allowed_flips} may; it would not draw the masks that were evaluated; see: "
                f"edgeseg doctor {model}"
            )
        if model_sha256(model) != known:
            raise ArtifactError(f"{model}: the model was changed while it was opened; start again")
        return cls(segmenters, known, options, pool)

    def warm(self) -> None:
        """Let the processes that read uploads start before the first one comes."""
        self._readers.warm(self._options.threads)

    def submit(self, upload: Upload, wish: Wish, deadline: Deadline) -> Future[SegmentAnswer]:
        """Have an upload segmented; the result raises `Refusal` where it cannot be."""
        return self._pool.submit(self._work, upload, wish, deadline, time.perf_counter())

    def close(self) -> None:
        """Let what is under way end, and take nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._owns_readers:
            self._readers.close()

    def _work(self, upload: Upload, wish: Wish, deadline: Deadline, since: float) -> SegmentAnswer:
        deadline.check()
        waited_ms = (time.perf_counter() - since) * 1e3
        segmenter = self._free.get()
        try:
            with scratch() as place:
                try:
                    return self._segment(segmenter, upload, wish, deadline, place, (since, waited_ms))
                except LimitError as error:
                    deadline.check()
                    raise refusal_for(error, hidden=str(place)) from error
                except EdgeSegError as error:
                    raise refusal_for(error, hidden=str(place)) from error
        finally:
            self._free.put(segmenter)

    def _open(self, upload: Upload, wish: Wish, deadline: Deadline, place: Path) -> SourcedScan:
        """Open an upload in another process.

        Raises:
            Refusal: as `open_upload`, or when the time is over.
            EdgeSegError: likewise; LimitError when it takes too much memory or time.
        """
        parts = upload.parts
        bounds = self._options.bounds
        limits = Limits.for_input(sum(len(data) for _, data in parts), output_bytes=bounds.unpacked_bytes)
        reader = Reader(pool=self._readers, limits=limits, left=lambda: deadline.left_s, refused=Refusal)
        what = {
            "names": [name for name, _ in parts],
            "sizes": [len(data) for _, data in parts],
            "wish": to_plain(wish),
            "channels": to_plain(self.channels),
            "bounds": to_plain(bounds),
            "place": str(place),
        }
        return reader.open(what, tuple(data for _, data in parts))

    def _segment(
        self,
        segmenter: Segmenter,
        upload: Upload,
        wish: Wish,
        deadline: Deadline,
        place: Path,
        times: tuple[float, float],
    ) -> SegmentAnswer:
        scan = self._open(upload, wish, deadline, place)
        try:
            if len(scan.slice_names) > 4 * self._options.max_slices:
                raise Refusal(TOO_LARGE, f"the scan has {len(scan.slice_names)} slices; send fewer at a time")
            written = RunOptions(formats=("png",) if wish.masks in _PICTURES else (wish.masks,))
            masks = SliceMasks(segmenter.contract.regions, keep_runs=wish.masks == "rle")
            found = segment_case(
                segmenter, scan, place / "out", written, self.model.sha256, lambda _label: deadline.check(), masks
            )
        finally:
            scan.close()
        answer = answer_for(found, wish, place / "out", self.model, times, masks)
        self.told(answer)
        return answer
