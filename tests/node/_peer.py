"""A destination as a test wants it: it takes, refuses, or is down for a while."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pynetdicom import AE, evt

from tests._archive import free_port

CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.7")


@dataclass(kw_only=True)
class Peer:
    """An SCP; `status` is what it answers, `came` every object in the order in which they came.

    One with `aborts_after` ends the association when it is sent more than so many objects.
    """

    port: int
    status: int = 0
    title: str = "ARCHIVE"
    aborts_after: int | None = None
    came: list[tuple[str, str]] = field(default_factory=list)
    server: Any = None

    @classmethod
    @contextlib.contextmanager
    def open(cls, **more: Any) -> Iterator[Peer]:
        made = cls(port=free_port(), **more)
        made.up()
        try:
            yield made
        finally:
            made.down()

    @property
    def destination(self) -> dict[str, Any]:
        return {"name": "archive", "kind": "dicom", "ae_title": "ARCHIVE", "address": "127.0.0.1", "port": self.port}

    @property
    def objects(self) -> set[str]:
        return {uid for _, uid in self.came}

    def per_study(self) -> list[int]:
        return list(Counter(study for study, _ in set(self.came)).values())

    def up(self) -> None:
        ae = AE(ae_title=self.title)
        ae.require_called_aet = True
        for one in CLASSES:
            ae.add_supported_context(one)
        self.server = ae.start_server(
            ("127.0.0.1", self.port), block=False, evt_handlers=[(evt.EVT_C_STORE, self._take)]
        )  # fmt: skip

    def down(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server = None

    def _take(self, event: Any) -> int:
        read = event.dataset
        if self.aborts_after is not None and len(self.came) >= self.aborts_after:
            event.assoc.abort()
            return 0xC000
        if self.status == 0:
            self.came.append((str(read.StudyInstanceUID), str(read.SOPInstanceUID)))
        return self.status
