"""What a build has already done: a stage whose inputs and outputs are unchanged is taken over, not run again.

Each stage leaves one small JSON file beside the artifacts. It counts only if its fingerprint equals that of the inputs
asked for now and of edgeseg's own source, and if its result and every file it names still have the hash they had; it is
written after the files, so a build that was killed never leaves a record of something half-made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from edgeseg import artifacts
from edgeseg.jsonio import JsonFormatError, from_json, read_document, to_json
from edgeseg.results import StageRecord

T = TypeVar("T")
OnStage = Callable[[StageRecord], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    fingerprint: str
    outputs: dict[str, str]
    result: str
    result_sha256: str


class Ledger:
    """Runs stages, or takes over what an earlier build in the same folder found."""

    def __init__(self, out: Path, *, rebuild: bool, on_stage: OnStage | None = None) -> None:
        """Keep records under `out`; with `rebuild` none is taken over."""
        self._out = out
        self._rebuild = rebuild
        self._on_stage = on_stage
        self.records: list[StageRecord] = []

    def run(
        self,
        stage: str,
        kind: type[T],
        make: Callable[[], T],
        *,
        inputs: Sequence[Any],
        outputs: Sequence[Path] = (),
        started: float | None = None,
    ) -> T:
        """Return the result of a stage.

        Args:
            stage: its name, `convert tflite-int8`.
            kind: the result's dataclass.
            make: runs the stage, and writes `outputs`.
            inputs: all that decides the result but edgeseg's own source: specs, results, strings, numbers.
            outputs: the files it writes, under the build folder.
            started: `time.perf_counter()` of when the stage really began, where work for it was done before this call.
        """
        started = time.perf_counter() if started is None else started
        fingerprint = artifacts.sha256_bytes(to_json([stage, artifacts.source_digest(), *inputs], indent=None).encode())
        place = self._out / ".stages" / f"{stage.replace(' ', '-').replace('/', '-')}.json"
        entry = None if self._rebuild else self._earlier(place, fingerprint)
        reused = entry is not None
        if entry is None:
            place.unlink(missing_ok=True)
            result = make()
            hashes = {str(path.relative_to(self._out)): artifacts.sha256_file(path) for path in outputs}
            told = to_json(result, indent=None)
            sha256 = artifacts.sha256_bytes(told.encode())
            entry = _Entry(fingerprint=fingerprint, outputs=hashes, result=told, result_sha256=sha256)
            artifacts.write_text(place, to_json(entry))
        record = StageRecord(
            stage=stage,
            seconds=round(time.perf_counter() - started, 2),
            reused=reused,
            fingerprint=fingerprint,
            outputs=entry.outputs,
        )
        self.records.append(record)
        if self._on_stage is not None:
            self._on_stage(record)
        return from_json(kind, entry.result)

    def _earlier(self, place: Path, fingerprint: str) -> _Entry | None:
        try:
            entry = from_json(_Entry, read_document(place))
        except (OSError, JsonFormatError):
            return None
        if entry.fingerprint != fingerprint or artifacts.sha256_bytes(entry.result.encode()) != entry.result_sha256:
            return None
        for name, sha256 in entry.outputs.items():
            path = self._out / name
            if not path.is_file() or artifacts.sha256_file(path) != sha256:
                return None
        return entry
