"""An archive sends a study to the node by itself, and gets SEG, report and secondary capture back under that study.

Skipped where Orthanc, DCMTK or dicom3tools are not installed; on Debian: dcmtk dicom3tools orthanc orthanc-dicomweb.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest

from tests._archive import DICOM_WEB, Archive, called, errors_of, free_port, running_archive
from tests.node.conftest import Setting, wait_for
from tests.stages.segment._heads import in_two_files

Write = Callable[..., Path]
ROUTE = Path(__file__).resolve().parents[2] / "deploy" / "node" / "route.lua"
KINDS = {"SEG", "SR", "OT"}


def way_back(way: str, archive: Archive) -> dict[str, Any]:
    if way == "store":
        return {"name": "pacs", "kind": "dicom", "ae_title": "ORTHANC", "address": "127.0.0.1", "port": archive.dicom}
    if not DICOM_WEB.exists():
        pytest.skip("orthanc-dicomweb is not installed")
    return {"name": "web", "kind": "stow", "url": f"http://127.0.0.1:{archive.web}/dicom-web"}


def modalities(archive: Archive) -> list[str]:
    return [one["MainDicomTags"]["Modality"] for one in archive.json("/series?expand")]


@pytest.mark.parametrize("way", ["store", "stow"])
def test_an_archive_routes_a_study_and_has_the_results(
    setting: Setting, write_study: Write, tmp_path: Path, way: str
) -> None:
    port = free_port()
    routes = {"edgeseg": ["EDGESEG", "127.0.0.1", port]}
    with running_archive(tmp_path, DicomModalities=routes, LuaScripts=[str(ROUTE)], StableAge=1) as archive:
        node = setting.node(
            [way_back(way, archive)], port=port, peers=[{"ae_title": "ORTHANC", "address": "127.0.0.0/8"}]
        )
        sent = write_study(tmp_path / "sent")
        if way == "stow":
            in_two_files(sent / "flair")
        called("storescu", "-R", "+sd", "+r", "-aec", "ORTHANC", "127.0.0.1", str(archive.dicom), sent)
        wait_for(lambda: set(modalities(archive)) >= KINDS, log=node.log)
        found = modalities(archive)
        assert sorted(found) == sorted(["MR", "MR", "MR", *KINDS])
        assert archive.study
        back = {}
        for one in archive.json("/instances?expand"):
            data, _ = archive.get(f"/instances/{one['ID']}/file")
            (path := tmp_path / f"{one['ID']}.dcm").write_bytes(data)
            read = pydicom.dcmread(path)
            back[read.Modality] = read
            assert read.Modality == "MR" or errors_of(path) == []
        _check_references(back["SEG"], back["SR"], back["OT"], sent / "flair")
        assert node.end() == 0


def _check_references(seg: Any, report: Any, capture: Any, flair: Path) -> None:
    """The SEG is of FLAIR's images, the report of the SEG, and the capture of all three."""
    images = {pydicom.dcmread(path).SOPInstanceUID for path in flair.iterdir()}
    assert {one.ReferencedSOPInstanceUID for one in seg.SourceImageSequence} == images
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    evidence = {one.ReferencedSOPInstanceUID for x in study.ReferencedSeriesSequence for one in x.ReferencedSOPSequence}
    assert seg.SOPInstanceUID in evidence
    assert {one.ReferencedSOPInstanceUID for one in capture.SourceImageSequence} == images
    named = {one.ReferencedSOPInstanceUID for one in capture.ReferencedInstanceSequence}
    assert named == {seg.SOPInstanceUID, report.SOPInstanceUID}
    assert len({one.SeriesInstanceUID for one in (seg, report, capture)}) == 3
