"""Several patients: one who fails costs the others nothing, runs add up, and nothing is done twice or lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeseg.artifacts import sha256_file
from edgeseg.errors import DatasetError, OutputError
from edgeseg.jsonio import from_json
from edgeseg.results import DONE, FAILED, PatientSegmentation, RunResult
from edgeseg.specs import Contract, RunOptions
from edgeseg.stages.segment.names import safe_name
from edgeseg.stages.segment.run import run

Write = Callable[..., Path]


@pytest.fixture
def model(tiny_onnx: Write) -> Path:
    return tiny_onnx()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def studies(tmp_path: Path) -> list[Path]:
    """Three patients with two slices each."""
    return [make_patient(tmp_path / "in" / name) for name in ("A", "B", "C")]


def make_patient(folder: Path, slices: int = 2) -> Path:
    folder.mkdir(parents=True)
    image = np.zeros((16, 24, 3), np.uint8)
    image[4:8, 6:12, 1] = 255
    for number in range(slices):
        Image.fromarray(image).save(folder / f"s_{number}.png")
    return folder


def rows(out: Path) -> dict[str, PatientSegmentation]:
    return {row.patient: row for row in from_json(RunResult, (out / "summary.json").read_bytes()).patients}


def states(out: Path) -> dict[str, str]:
    return {name: row.status for name, row in rows(out).items()}


def files(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


def damage(folder: Path) -> None:
    (folder / "s_1.png").write_bytes((folder / "s_1.png").read_bytes()[:60])


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("together", [False, True])
def test_one_who_fails_is_a_row_and_the_others_are_done(
    model: Path, studies: list[Path], out: Path, which: int, together: bool
) -> None:
    damage(studies[which])
    told: list[tuple[str, str]] = []
    given = [studies[0].parent] if together else studies
    run(model, given, out=out, on_patient=lambda row, before: told.append((row.patient, row.status)))
    bad = studies[which].name
    assert states(out) == {name: FAILED if name == bad else DONE for name in "ABC"} == dict(told)
    assert "s_1.png" in (rows(out)[bad].reason or "")
    assert files(out) == {"summary.json", *(f"{name}/s_{n}_mask.png" for name in "ABC" if name != bad for n in (0, 1))}


def test_a_damaged_dicom_study_among_others(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], out: Path
) -> None:
    folders = [write_dicom(f"s{n}", scan_values["flair"], description="FLAIR", study=str(n)) for n in range(3)]
    cut = sorted(folders[1].iterdir())[2]
    cut.write_bytes(cut.read_bytes()[:-900])
    run(model, folders, out=out, options=RunOptions(salt="a salt for tests only"))
    found = rows(out)
    assert sorted(row.status for row in found.values()) == [DONE, DONE, FAILED]
    assert found["s1"].reason
    assert len(list(out.rglob("*_seg.dcm"))) == 2
    shutil.rmtree(folders[1])
    write_dicom("s1", scan_values["flair"], description="FLAIR", study="1")
    run(model, [folders[1]], out=out, options=RunOptions(salt="a salt for tests only"))
    assert [row.status for row in rows(out).values()] == [DONE] * 3


@pytest.mark.parametrize("damage", ["cut header", "cut before it says whose it is", "cut pixels", "empty", "all"])
def test_a_damaged_study_in_an_archive(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], out: Path, damage: str
) -> None:
    for n in range(3):
        write_dicom(f"in/x{n}/flair", scan_values["flair"], description="FLAIR", study=str(n), patient=f"P{n}")
    folder = out.parent / "in" / "x1" / "flair"
    for cut in sorted(folder.iterdir())[: None if damage == "all" else 1]:
        whole = cut.read_bytes()
        cut.write_bytes({"cut header": whole[:600], "cut pixels": whole[:-5], "empty": b""}.get(damage, whole[:200]))
    run(model, [out.parent / "in"], out=out, options=RunOptions(salt="a salt for tests only"))
    assert sorted(row.status for row in rows(out).values()) == [DONE, DONE, FAILED]
    assert "slice" in (rows(out)["x1"].reason or "") or ".dcm" in (rows(out)["x1"].reason or "")
    assert len(list(out.rglob("*_seg.dcm"))) == 2


def test_a_fault_of_edgeseg_itself_costs_the_others_nothing(
    model: Path, studies: list[Path], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeseg.stages.segment import case

    original = case._summary

    def summary(scan: Any, *others: Any) -> Any:
        if scan.name == "B":
            raise ZeroDivisionError("Zyxwvu^Secret")
        return original(scan, *others)

    monkeypatch.setattr(case, "_summary", summary)
    run(model, studies, out=out)
    assert states(out) == {"A": DONE, "B": FAILED, "C": DONE}
    assert "internal error: ZeroDivisionError" in (rows(out)["B"].reason or "")
    assert "Zyxwvu" not in (out / "summary.json").read_text()
    with pytest.raises(ZeroDivisionError):
        run(model, [studies[1]], out=out)


def test_a_full_disk_ends_the_run_and_keeps_who_is_done(
    model: Path, studies: list[Path], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = Image.Image.save, iter(range(100))

    def save(self: Image.Image, *args: Any, **kwargs: Any) -> None:
        if next(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(self, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "save", save)
    with pytest.raises(OutputError, match="No space left"):
        run(model, studies, out=out)
    assert states(out) == {"A": DONE}
    assert files(out) == {"summary.json", "A/s_0_mask.png", "A/s_1_mask.png"}


def test_a_path_that_cannot_be_planned_among_others(model: Path, studies: list[Path], out: Path) -> None:
    for file in studies[1].iterdir():
        file.unlink()
    run(model, studies, out=out)
    assert states(out) == {"A": DONE, "C": DONE, "B": FAILED}
    with pytest.raises(DatasetError, match="no such file"):
        run(model, [studies[0], studies[0].parent / "absent"], out=out.parent / "out2")
    assert not (out.parent / "out2").exists()


@pytest.mark.parametrize("name", [b"M\xf6ller", b"a\nb", b"\x1b[31mred", "rtl\u202egnp".encode(), b"\xff\xfe"])
def test_a_name_that_no_terminal_shows_is_written_safely(model: Path, tmp_path: Path, out: Path, name: bytes) -> None:
    root = tmp_path / "in"
    folder = make_patient(root / os.fsdecode(name))
    (folder / "s_0.png").rename(folder / os.fsdecode(b"s\xe4_0.png"))
    make_patient(root / "plain")
    run(model, [root], out=out)
    safe = safe_name(os.fsdecode(name))
    assert safe.isprintable()
    assert safe.encode().decode() == safe
    assert states(out) == {safe: DONE, "plain": DONE}
    assert (out / safe / "s%E4_0_mask.png").is_file()
    assert rows(out)[safe].masks[0].mask in (f"{safe}/s%E4_0_mask.png", f"{safe}/s_1_mask.png")


def test_a_name_of_the_greatest_length(model: Path, tmp_path: Path, out: Path) -> None:
    long = make_patient(tmp_path / "in" / "long")
    (long / "s_0.png").rename(long / f"{'x' * 250}.png")
    make_patient(tmp_path / "in" / "short")
    run(model, [tmp_path / "in"], out=out)
    assert states(out) == {"long": FAILED, "short": DONE}
    assert "shorter name" in (rows(out)["long"].reason or "")


def test_a_second_run_adds_to_the_summary_and_replaces_rows(
    model: Path, tiny_onnx: Write, tiny_contract: Contract, studies: list[Path], out: Path
) -> None:
    run(model, studies[:1], out=out)
    other = tiny_onnx("other.onnx", replace(tiny_contract, threshold=0.4))
    result = run(other, studies[1:2], out=out)
    assert [row.patient for row in result.patients] == ["A", "B"]
    assert from_json(RunResult, (out / "summary.json").read_bytes()) == result
    assert [row.model for row in result.patients] == [model.name, "other.onnx"]
    assert {row.model_sha256 for row in result.patients} == {sha256_file(model), sha256_file(other)}
    again = run(other, studies[:1], out=out)
    assert [(row.patient, row.model) for row in again.patients] == [("A", "other.onnx"), ("B", "other.onnx")]


def test_what_an_earlier_run_drew_and_the_new_one_did_not_is_gone(model: Path, tmp_path: Path, out: Path) -> None:
    folder = make_patient(tmp_path / "in" / "A", slices=3)
    run(model, [folder], out=out, options=RunOptions(overlays=True))
    (out / "A" / "notes_mask.png").write_bytes(b"mine")
    (folder / "s_2.png").unlink()
    run(model, [folder], out=out, options=RunOptions(formats=("tiff",)))
    assert files(out) == {"summary.json", "A/notes_mask.png", "A/s_0_mask.tiff", "A/s_1_mask.tiff"}


def test_one_who_fails_now_keeps_the_files_of_before_and_says_so(model: Path, studies: list[Path], out: Path) -> None:
    run(model, studies, out=out)
    damage(studies[1])
    run(model, studies, out=out)
    assert rows(out)["B"].status == FAILED
    assert rows(out)["B"].earlier_files == ("B/s_0_mask.png", "B/s_1_mask.png")
    shutil.rmtree(studies[1])
    make_patient(studies[1], slices=1)
    run(model, [studies[1]], out=out)
    assert files(out) == {
        "summary.json",
        "B/s_0_mask.png",
        *(f"{name}/s_{n}_mask.png" for name in "AC" for n in (0, 1)),
    }


def done_now(model: Path, given: list[Path], out: Path, **options: Any) -> list[str]:
    told = []
    run(
        model,
        given,
        out=out,
        resume=True,
        options=RunOptions(**options),
        on_patient=lambda row, before: None if before else told.append(row.patient),
    )
    return told


def test_resume_does_what_is_missing_or_changed_and_nothing_else(
    model: Path, tiny_onnx: Write, tiny_contract: Contract, studies: list[Path], out: Path
) -> None:
    run(model, studies[:1], out=out)
    assert done_now(model, studies, out) == ["B", "C"]
    assert done_now(model, studies, out) == []
    times = (studies[1] / "s_0.png").stat()
    (studies[1] / "s_0.png").write_bytes((studies[1] / "s_0.png").read_bytes())
    os.utime(studies[1] / "s_0.png", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert done_now(model, studies, out) == ["B"]
    (out / "C" / "s_0_mask.png").unlink()
    assert done_now(model, studies, out) == ["C"]
    assert done_now(model, studies, out, overlays=True) == ["A", "B", "C"]
    other = tiny_onnx("other.onnx", replace(tiny_contract, threshold=0.4))
    assert sha256_file(other) != sha256_file(model)
    assert done_now(other, studies, out, overlays=True) == ["A", "B", "C"]
    assert states(out) == dict.fromkeys("ABC", DONE)


def test_resume_does_those_who_failed(model: Path, studies: list[Path], out: Path) -> None:
    damage(studies[2])
    run(model, studies, out=out)
    assert done_now(model, studies, out) == ["C"]
    shutil.rmtree(studies[2])
    make_patient(studies[2])
    assert done_now(model, studies, out) == ["C"]
    assert states(out) == dict.fromkeys("ABC", DONE)


def test_dicom_is_known_again_though_its_name_is_drawn_anew(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], out: Path
) -> None:
    folder = write_dicom("study", scan_values["flair"], description="FLAIR")
    (first,) = run(model, [folder], out=out).patients
    (second,) = run(model, [folder], out=out).patients
    assert first.patient == second.patient
    assert done_now(model, [folder], out) == []
    (third,) = run(model, [folder], out=out, options=RunOptions(salt="a salt for tests only")).patients
    assert third.patient != first.patient
    assert [path.name for path in out.iterdir() if path.is_dir() and any(path.iterdir())] == [third.patient]


def test_dicom_has_one_name_in_a_folder_whatever_happens_to_its_files(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], out: Path
) -> None:
    folder = write_dicom("study", scan_values["flair"], description="FLAIR")
    (first,) = run(model, [folder], out=out).patients
    assert (out / ".edgeseg.salt").stat().st_mode & 0o777 == 0o600
    shutil.copytree(folder, out.parent / "again")
    os.utime(folder / "000_FLAI.dcm", (1, 1))
    for given in (folder, out.parent / "again"):
        assert [row.patient for row in run(model, [given], out=out).patients] == [first.patient]
    cut = folder / "000_FLAI.dcm"
    cut.write_bytes(cut.read_bytes()[:-9])
    other = write_dicom("other", scan_values["flair"], description="FLAIR", study="b")
    run(model, [folder, other], out=out)
    assert sorted(states(out).values()) == [DONE, DONE, FAILED]
    assert states(out)[first.patient] == DONE
    assert (out / first.patient / f"{first.patient}_seg.dcm").is_file()
    (elsewhere,) = run(model, [other], out=out.parent / "elsewhere").patients
    assert elsewhere.patient not in states(out)


@pytest.mark.parametrize("text", ["", "secret", "a" * 33])
def test_a_salt_that_edgeseg_did_not_draw_is_not_taken(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], out: Path, text: str
) -> None:
    folder = write_dicom("study", scan_values["flair"], description="FLAIR")
    out.mkdir()
    (out / ".edgeseg.salt").write_text(text)
    with pytest.raises(OutputError, match=r"\.edgeseg\.salt holds no salt"):
        run(model, [folder], out=out)
    assert [path.name for path in out.iterdir()] == [".edgeseg.salt"]


def test_files_that_change_while_they_are_read_are_told(model: Path, studies: list[Path], out: Path) -> None:
    def touch(done: int, total: int | None, label: str) -> None:
        os.utime(studies[0] / "s_1.png", (1, 1))

    with pytest.raises(DatasetError, match="changed while they were read"):
        run(model, studies[:1], out=out, progress=touch)
    assert not out.exists()


@pytest.mark.parametrize("text", ["{}", "[1", '{"patients": 3}', "\ufeff", None])
def test_a_summary_of_something_else_is_not_written_over(
    model: Path, studies: list[Path], out: Path, text: str | None
) -> None:
    run(model, studies[:1], out=out)
    path = out / "summary.json"
    if text is None:
        text = json.dumps(json.loads(path.read_text()) | {"schema_version": 99})
    path.write_text(text)
    with pytest.raises(OutputError, match="choose another --out, or move it away"):
        run(model, studies[1:], out=out)
    assert path.read_text() == text


def test_rows_of_version_0_1_are_kept(model: Path, studies: list[Path], out: Path) -> None:
    run(model, studies[:1], out=out)
    path = out / "summary.json"
    plain = json.loads(path.read_text())
    new = ("status", "reason", "model", "model_sha256", "inputs_digest", "options_digest", "earlier_files")
    plain["patients"] = [{k: v for k, v in row.items() if k not in new} for row in plain["patients"]]
    path.write_text(json.dumps(plain))
    result = run(model, studies[1:2], out=out)
    assert [(row.patient, row.model_sha256) for row in result.patients] == [
        ("A", sha256_file(model)),
        ("B", sha256_file(model)),
    ]


def test_masks_of_another_patient_of_the_same_name_are_not_written_over(model: Path, tmp_path: Path, out: Path) -> None:
    first, second = make_patient(tmp_path / "1" / "mri"), make_patient(tmp_path / "2" / "mri")
    run(model, [first], out=out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(DatasetError, match="has masks of another 'mri', from another folder"):
        run(model, [second], out=out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    run(model, [second, make_patient(tmp_path / "3" / "other")], out=out)
    assert states(out) == {"mri": DONE, "mri (2)": FAILED, "other": DONE}
    run(model, [first], out=out)
    assert states(out)["mri"] == DONE


@pytest.mark.parametrize(("name", "safe"), [("..", "%2E."), (".", "%2E"), ("summary.json", "%73ummary.json")])
def test_a_name_that_would_be_another_place(name: str, safe: str) -> None:
    assert safe_name(name) == safe
