"""The process that reads studies and writes their results: `python -m edgeseg.node.inside`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from edgeseg.data.pseudonym import Pseudonyms
from edgeseg.errors import DatasetError
from edgeseg.jsonio import from_plain
from edgeseg.node.capture import write_capture
from edgeseg.node.rehearse import rehearse
from edgeseg.node.report import Finding, write_refusal, write_report
from edgeseg.stages.segment.apart.files import open_request
from edgeseg.stages.segment.apart.inside import handlers, import_readers
from edgeseg.stages.segment.dicom_seg import lenient
from edgeseg.workers.apart import Inside, Limits, listen
from edgeseg.workers.apart.listen import Answer
from edgeseg.workers.apart.memory import take_array

ENTRY = "edgeseg.node.inside"
_MOST_IMAGES = 2000


def _handlers(inside: Inside) -> Mapping[str, Callable[[Answer], Answer]]:
    def results(message: Answer) -> Answer:
        """Write the report and the secondary capture beside a SEG, whose place is `seg`."""
        folder, found = Path(message["folder"]), from_plain(Finding, message["found"])
        picture = take_array(inside.memory, tuple(message["shape"]))
        return _made(lambda: _write_results(Path(message["seg"]), folder, picture, found, message.get("salt")))

    def refusal(message: Answer) -> Answer:
        """Write the report that says why nothing was segmented."""
        inside.begin(Limits(**message["limits"]))
        return _made(lambda: _write_refusal(message))

    return {**handlers(inside, open_request), "results": results, "refusal": refusal}


def _rehearsed(inside: Inside) -> Mapping[str, Callable[[Answer], Answer]]:
    """Give the handlers after a first study of nobody, so that none waits for what libraries do but once."""
    made = _handlers(inside)
    rehearse(made, inside.memory)
    return made


def _made(make: Callable[[], None]) -> Answer:
    """Make files; what libraries say may quote the patient, so only the kind of their error is told."""
    try:
        with lenient():
            make()
    except MemoryError:
        raise
    except Exception as error:
        raise DatasetError(
            f"a report cannot be made of these headers ({type(error).__name__}); they lack what the standard asks for"
        ) from error
    return {}


def _write_results(seg: Path, folder: Path, picture: Any, found: Finding, salt: str | None) -> None:
    import pydicom

    read = pydicom.dcmread(seg, stop_before_pixels=True)
    write_report(folder / "sr.dcm", read, found)
    report = pydicom.dcmread(folder / "sr.dcm", specific_tags=["SOPClassUID", "SOPInstanceUID"])
    write_capture(folder / "sc.dcm", read, report, picture, found)
    _hide((seg, folder / "sr.dcm", folder / "sc.dcm"), salt)


def _hide(paths: Iterable[Path], salt: str | None) -> None:
    """De-identify files by a salt, where there is one; references between them stay right."""
    from edgeseg.data.dicom.de_identify import de_identify_file

    for path in paths if salt is not None else ():
        de_identify_file(path, Pseudonyms(str(salt)))


def _write_refusal(message: Answer) -> None:
    from edgeseg.data.dicom.header import read_header
    from edgeseg.stages.segment.seg_sources import plain_header

    paths = sorted(Path(message["objects"]).iterdir())[:_MOST_IMAGES]
    needed = ["SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID"]
    first = plain_header(read_header(paths[0]))
    images = [first, *(read_header(path, needed) for path in paths[1:])]
    write_refusal(Path(message["path"]), images, message["reason"], message["model_sha256"])
    _hide((Path(message["path"]),), message.get("salt"))


if __name__ == "__main__":
    import_readers()
    listen(_rehearsed)
