"""What becomes of studies that are complete: results, a reason, or another try; one never costs the others anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from edgeseg.errors import OutputError
from edgeseg.node.count import Counts
from edgeseg.node.inbox import Inbox, Wrong
from edgeseg.node.queue import COMPLETE, DONE, FAILED, RECEIVED, Came
from edgeseg.node.uids import KEY_OBJECTS
from edgeseg.node.watch import Watch
from edgeseg.specs import Contract
from edgeseg.workers.apart import Pool
from tests._archive import errors_of
from tests.node._bench import Bench, bench_of

Write = Callable[..., Path]
SHA256 = "ab" * 32


def texts(report: pydicom.Dataset) -> list[str]:
    found = [str(report.TextValue)] if "TextValue" in report else []
    return found + [text for one in report.get("ContentSequence", ()) for text in texts(one)]


def numbers(report: pydicom.Dataset) -> dict[str, float]:
    found = {}
    for one in report.get("ContentSequence", ()):
        if "MeasuredValueSequence" in one:
            found[one.ConceptNameCodeSequence[0].CodeMeaning] = float(one.MeasuredValueSequence[0].NumericValue)
        found |= numbers(one)
    return found


def test_seg_report_and_capture_say_the_same(bench: Bench, write_study: Write, tmp_path: Path) -> None:
    study = bench.received(write_study(tmp_path / "sent"))
    assert bench.worker().step()
    assert bench.row(study).state == DONE
    seg, report, capture = (pydicom.dcmread(path) for path in bench.place.files(study).values())
    pixels = int(seg.pixel_array.sum())
    assert pixels > 0
    told = numbers(report)
    assert told["Volume"] == pytest.approx(pixels * 2.5 * 2.5 * 4 / 1e3, abs=1e-3)
    assert (told["Slices with tumour"], told["Slices segmented"]) == (4, 20)
    assert f"volume {told['Volume']:.1f} ml" in capture.ImageComments
    assert "Research use only" in capture.ImageComments
    assert any("Research use only" in text for text in texts(report))
    assert f"model_sha256={SHA256}" in texts(report)
    assert capture.pixel_array.shape == (capture.Rows, capture.Columns, 3)
    assert capture.pixel_array[:36].max() > 200
    assert capture.BurnedInAnnotation == "NO"
    for path in bench.place.files(study).values():
        assert errors_of(path) == []


def test_a_marker_completes_its_study_at_once(bench: Bench, write_study: Write, tmp_path: Path, lookers: Pool) -> None:
    options = replace(bench.options, marker=True)
    inbox = Inbox(bench.queue, bench.place, lookers, options, Counts())
    paths = sorted(write_study(tmp_path / "sent", kinds=("flair",)).rglob("*.dcm"))
    marker = pydicom.dcmread(paths[0], stop_before_pixels=True)
    marker.SOPClassUID = marker.file_meta.MediaStorageSOPClassUID = KEY_OBJECTS
    marker.SOPInstanceUID = marker.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    marker.save_as(tmp_path / "marker.dcm")
    content = (tmp_path / "marker.dcm").read_bytes()
    with pytest.raises(Wrong, match="of a study of which nothing has come"):
        inbox.take((content,))
    for path in paths[:-1]:
        study, _ = inbox.take((path.read_bytes(),))
    assert bench.row(study).state == RECEIVED
    with pytest.raises(Wrong, match="of a class that is not taken"):
        bench.inbox.take((content,))
    assert inbox.take((content,)) == inbox.take((content,)) == (study, Came.MARKER)
    assert (bench.row(study).state, bench.row(study).objects) == (COMPLETE, len(paths) - 1)
    assert inbox.take((paths[-1].read_bytes(),)) == (study, Came.NEW)
    assert bench.row(study).state == RECEIVED
    inbox.take((content,))
    assert bench.worker().step()
    assert bench.row(study).state == DONE


@pytest.mark.parametrize("kinds", [("pre", "flair", "post"), ("pre",)], ids=["results", "refusal"])
def test_de_identified_results_belong_together_and_hold_no_identifier(
    bench: Bench, write_study: Write, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    sent, salt = write_study(tmp_path / "sent", kinds=kinds), tmp_path / "salt.key"
    salt.write_text("9f1c5a70b3e84d62aa10c7f25e38d946")
    words = {"Zyxwvu", "Secret", "20210203", "04051999", "ACC-815", "Doc^Tor", "Northgate", "Mueller"}
    for path in sent.rglob("*.dcm"):
        one = pydicom.dcmread(path)
        one.PatientName, one.PatientID, one.StudyDate = "Zyxwvu^Secret", "04051999", "20210203"
        one.AccessionNumber, one.ReferringPhysicianName, one.InstitutionName = "ACC-815", "Doc^Tor", "Northgate"
        one.StudyDescription, one.SeriesDescription = "Mueller", f"{one.SeriesDescription} Mueller"
        one.save_as(path)
        words |= {one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID, one.FrameOfReferenceUID}
    study = bench.received(sent)
    assert bench.worker(de_identify_salt=str(salt), report_failures=True).step()
    made = bench.place.files(study)
    assert len(made) == (3 if "flair" in kinds else 1)
    for path in made.values():
        content = path.read_bytes()
        assert [word for word in words if str(word).encode() in content] == []
        assert errors_of(path) == []
    read = [pydicom.dcmread(path) for path in made.values()]
    assert len({(one.PatientID, one.PatientName, one.StudyInstanceUID, one.StudyDate) for one in read}) == 1
    assert all(one.PatientIdentityRemoved == "YES" for one in read)
    if "flair" in kinds:
        seg, report, capture = read
        evidence = report.CurrentRequestedProcedureEvidenceSequence[0]
        assert evidence.StudyInstanceUID == seg.StudyInstanceUID
        named = {
            one.ReferencedSOPInstanceUID
            for item in evidence.ReferencedSeriesSequence
            for one in item.ReferencedSOPSequence
        }
        assert seg.SOPInstanceUID in named
        assert [one.ReferencedSOPInstanceUID for one in capture.ReferencedInstanceSequence] == [
            seg.SOPInstanceUID,
            report.SOPInstanceUID,
        ]


def _segments(group: pydicom.Dataset) -> list[int]:
    """The numbers of the segments that a group of measurements refers to."""
    named = [one.ReferencedSOPSequence[0] for one in group.ContentSequence if "ReferencedSOPSequence" in one]
    return [int(one.ReferencedSegmentNumber) for one in named if "ReferencedSegmentNumber" in one]


def test_several_classes_are_a_segment_and_a_group_of_measurements_each(
    tmp_path: Path, readers: Pool, lookers: Pool, write_study: Write, tiny_onnx: Write, tiny_parts: Contract
) -> None:
    import highdicom
    from pydicom.sr.codedict import codes

    network = tiny_onnx(contract=replace(tiny_parts, height=64, width=64), size=(64, 64), masks=3)
    for bench in bench_of(tmp_path, network, readers, lookers):
        study = bench.received(write_study(tmp_path / "sent", kinds=("flair",)))
        assert bench.worker().step()
        assert bench.row(study).reason is None
        seg, report, capture = bench.place.files(study).values()
        read = highdicom.seg.segread(seg)
        frames = [one.SegmentIdentificationSequence[0] for one in read.PerFrameFunctionalGroupsSequence]
        owners = np.array([int(one.ReferencedSegmentNumber) for one in frames])
        pixels = [int(read.pixel_array[owners == number].sum()) for number in (1, 2, 3)]
        assert pixels[0] > 0 == pixels[2]
        groups = highdicom.sr.srread(report).content.get_volumetric_roi_measurement_groups()
        told = [(_segments(group[0]), group.finding_type.value) for group in groups]
        assert told == [([1], "108369006"), ([2], "108369006"), ([3], "C113842")]
        volumes = [float(group.get_measurements(codes.SCT.Volume)[0].value) for group in groups]
        assert volumes == pytest.approx([count * 2.5 * 2.5 * 4 / 1e3 for count in pixels], abs=1e-3)
        said = pydicom.dcmread(capture)
        assert all(name in said.ImageComments for name in ("whole-tumour: volume", "core: volume", "enhancing: volume"))
        (comment,) = (text for text in texts(pydicom.dcmread(report)) if text.startswith("nothing was found of"))
        assert comment.endswith("enhancing")
        for path in (seg, report, capture):
            assert errors_of(path) == []


def test_a_study_that_comes_again_is_passed_over(bench: Bench, write_study: Write, tmp_path: Path) -> None:
    sent, worker = write_study(tmp_path / "sent", kinds=("flair",)), bench.worker()
    study = bench.received(sent)
    worker.step()
    again = bench.received(sent)
    assert again != study
    assert worker.step()
    assert [row.id for row in bench.queue.rows()] == [study]
    assert not bench.place.objects(again).exists()


@pytest.mark.parametrize("report", [True, False])
def test_a_study_without_flair_is_set_aside_with_its_reason(
    bench: Bench, write_study: Write, tmp_path: Path, report: bool
) -> None:
    bad = bench.received(write_study(tmp_path / "bad", kinds=("pre", "post")))
    good = bench.received(write_study(tmp_path / "good", "another", kinds=("flair",)))
    worker = bench.worker(report_failures=report)
    assert worker.step()
    assert worker.step()
    assert bench.row(good).state == DONE
    found = bench.row(bad)
    assert found.state == (DONE if report else FAILED)
    assert found.reason is not None
    assert "flair" in found.reason.lower()
    assert str(bench.place.root) not in found.reason
    assert list(bench.place.files(bad)) == (["sr"] if report else [])
    if report:
        path = bench.place.files(bad)["sr"]
        assert errors_of(path) == []
        assert any("Nothing was segmented" in text for text in texts(pydicom.dcmread(path)))


def test_a_damaged_study_is_set_aside(bench: Bench, write_study: Write, tmp_path: Path) -> None:
    sent = write_study(tmp_path / "sent", kinds=("flair",))
    for path in sent.rglob("*.dcm"):
        path.write_bytes(path.read_bytes()[:-3000])
    study = bench.received(sent)
    assert bench.worker().step()
    assert bench.row(study).state == FAILED
    assert "cut short" in str(bench.row(study).reason)


def test_a_study_that_ends_the_node_is_set_aside(bench: Bench, write_study: Write, tmp_path: Path) -> None:
    study = bench.received(write_study(tmp_path / "sent", kinds=("flair",)))
    for _ in range(2):
        assert bench.queue.claim() is not None
        bench.queue.release_all()
    assert bench.worker().step()
    assert bench.row(study).state == FAILED
    assert "the node ended 2 times" in str(bench.row(study).reason)


def test_what_the_machine_is_to_blame_for_is_tried_again(
    bench: Bench, write_study: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, worker = bench.received(write_study(tmp_path / "sent", kinds=("flair",))), bench.worker(backoff_s=0.1)

    def full(*_what: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr(bench.place, "publish", full)
    for _ in range(2):
        worker.step()
        worker._waits.forget(study)
    assert (bench.row(study).state, bench.row(study).attempts) == (COMPLETE, 0)
    monkeypatch.undo()
    assert worker.step()
    assert bench.row(study).state == DONE


def test_a_node_that_stops_gives_its_study_back(bench: Bench, write_study: Write, tmp_path: Path) -> None:
    study, worker = bench.received(write_study(tmp_path / "sent", kinds=("flair",))), bench.worker()
    worker.stop.set()
    assert worker.step()
    assert (bench.row(study).state, bench.row(study).attempts) == (COMPLETE, 0)


def test_a_watched_folder(bench: Bench, write_study: Write, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    watch = Watch(folder, bench.inbox, bench.queue, Counts(), most_bytes=1 << 20)
    write_study(folder, kinds=("flair",))
    (folder / "notes.txt").write_text("no DICOM")
    (folder / "large.dcm").write_bytes(bytes(2 << 20))
    assert not watch.step()
    for name, (state, _) in watch._seen.items():
        watch._seen[name] = (state, -1e6)
    assert watch.step()
    assert not watch.step()
    (row,) = bench.queue.rows()
    assert row.objects == 20
    assert len(list(folder.rglob("*"))) == 23
    (folder / "flair" / "000.dcm").touch()
    watch.step()
    assert list(watch._seen) == [str(folder / "flair" / "000.dcm")]
