"""The process that looks at what came: `python -m edgeseg.node.identify`. It reads identifiers and no pixel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeseg.errors import DatasetError
from edgeseg.node.uids import is_uid
from edgeseg.workers.apart import Inside, Limits, Pool, listen
from edgeseg.workers.apart.listen import Answer

ENTRY = "edgeseg.node.identify"
_KEYWORDS = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID"]
_STUDY_TAG = 0x0020000D
_MORE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What an object says that it is."""

    sop_class: str
    sop: str
    study: str


def identify(path: Path, pool: Pool, *, size: int) -> Named:
    """Have a file looked at in a process of the pool, which was made for `ENTRY`.

    Raises:
        DatasetError: when it is no DICOM, or lacks an identifier.
        LimitError: when reading it takes more than so small a file may.
        OutputError: when no process can be started.
    """
    limits = Limits.for_input(size, output_bytes=_MORE_BYTES)
    message = {"op": "who", "path": str(path), "memory_bytes": limits.memory_bytes, "cpu_s": limits.cpu_s}
    with pool.lend() as process:
        answer = process.ask(message, seconds=limits.wait_s, left=lambda: float("inf"))
        process.settle({"op": "end"})
    found = [answer.get(keyword) for keyword in _KEYWORDS]
    if "error" in answer or not all(isinstance(one, str) and is_uid(one) for one in found):
        raise DatasetError("an object cannot be read as DICOM, or lacks one of " + ", ".join(_KEYWORDS))
    sop_class, sop, study = map(str, found)
    return Named(sop_class=sop_class, sop=sop, study=study)


def _handlers(inside: Inside) -> Mapping[str, Callable[[Answer], Answer]]:
    def who(message: Answer) -> Answer:
        from edgeseg.data.dicom.header import read

        limits = Limits(memory_bytes=message["memory_bytes"], cpu_s=message["cpu_s"], output_bytes=_MORE_BYTES)
        inside.begin(limits)
        values = read(Path(message["path"]), _KEYWORDS, last=_STUDY_TAG).values
        return {keyword: str(values.get(keyword) or "") for keyword in _KEYWORDS}

    return {"who": who, "end": lambda _message: {}}


if __name__ == "__main__":
    from edgeseg.data.dicom import header  # noqa: F401 (so that nothing waits for it)

    listen(_handlers)
