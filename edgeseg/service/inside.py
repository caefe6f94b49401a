"""The process that reads uploads: `python -m edgeseg.service.inside`; it opens them as `edgeseg.service.scans` does."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from edgeseg.data.scan import SourcedScan
from edgeseg.jsonio import from_plain
from edgeseg.service.packed import Budget
from edgeseg.service.scans import Upload, Wish, open_upload
from edgeseg.specs import Bounds, ChannelSet
from edgeseg.stages.segment.apart.inside import handlers, import_readers
from edgeseg.workers.apart import listen
from edgeseg.workers.apart.memory import clear, take

ENTRY = "edgeseg.service.inside"


def _open(what: Any, memory: int) -> SourcedScan:
    place, parts = 0, []
    for size in what["sizes"]:
        parts.append(bytes(take(memory, place, size)))
        place += size
    clear(memory)
    names, rest = what["names"], iter(parts)
    upload = Upload(
        slices=tuple(next(rest) for name in names if name == "slices"),
        study=next((next(rest) for name in names if name == "study"), None),
        sequences={name: next(rest) for name in names if name not in ("slices", "study")},
    )
    bounds = from_plain(Bounds, what["bounds"])
    wish, channels = from_plain(Wish, what["wish"]), from_plain(ChannelSet, what["channels"])
    return open_upload(upload, wish, channels, bounds, Path(what["place"]), Budget(bounds))


if __name__ == "__main__":
    import_readers()
    listen(functools.partial(handlers, opener=_open))
