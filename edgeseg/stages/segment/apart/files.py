"""The process that reads paths on the disk: `python -m edgeseg.stages.segment.apart.files`."""

from __future__ import annotations

import functools
from typing import Any

from edgeseg.data.scan import SourcedScan
from edgeseg.jsonio import from_plain, to_plain
from edgeseg.stages.segment.apart.inside import handlers, import_readers
from edgeseg.stages.segment.apart.scan import ApartScan, Reader
from edgeseg.stages.segment.request import ScanRequest
from edgeseg.workers.apart import Limits, Pool, listen

ENTRY = "edgeseg.stages.segment.apart.files"
_MOST_WRITTEN_BYTES = 2 << 30


def open_apart(request: ScanRequest, pool: Pool) -> ApartScan:
    """Open a scan in a process of the pool, which was made for `ENTRY`.

    Raises:
        DataError: as opening it here would; LimitError when it takes too much memory or time.
        OutputError: when no process can be started.
    """
    limits = Limits.for_input(request.size_bytes, output_bytes=_MOST_WRITTEN_BYTES)
    return Reader(pool=pool, limits=limits).open(to_plain(request))


def open_request(what: Any, _memory: int) -> SourcedScan:
    """Open what a message says in this process."""
    return from_plain(ScanRequest, what).open()


if __name__ == "__main__":
    import_readers()
    listen(functools.partial(handlers, opener=open_request))
