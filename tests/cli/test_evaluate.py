from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from edgeseg.cli.evaluate import evaluate
from edgeseg.data.open import open_dataset
from edgeseg.data.split import Split, describe, write_split
from edgeseg.errors import DatasetError, OptionError, SeenPatientError, SplitError
from edgeseg.jsonio import from_json
from edgeseg.place import key_for
from edgeseg.results import EvalResult
from edgeseg.specs import Contract, PatientKey, PostProcessing, VariantSpec, patient_digest, seen_entries

SIDE = 32
CONTRACT = Contract(
    variant=VariantSpec(), tier="int8", target="onnx-int8", layout="NCHW", height=SIDE, width=SIDE, trained_on="toy"
)
PATIENTS = ("TCGA_CS_0001_20000101", "TCGA_CS_0002_20000101", "TCGA_DU_0003_20000101")


@dataclass
class ReadsFlair:
    contract: Contract = CONTRACT
    numerics: str = "exact"
    runtime: str = "fake 1"
    threads: int = 1

    def logits(self, images: np.ndarray) -> np.ndarray:
        return images[..., 1].astype(np.float32) - 127.5


Run = Callable[..., str]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return _write_data(tmp_path / "kaggle_3m", PATIENTS)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def invoke(*arguments: object, contract: Contract = CONTRACT) -> str:
        monkeypatch.setattr(
            "edgeseg.stages.score.on_ray.open_artifact", lambda path, *, threads, **_: ReadsFlair(contract)
        )
        monkeypatch.setenv("COLUMNS", "80")
        app = typer.Typer()
        app.command()(evaluate)
        outcome = CliRunner().invoke(app, ["model.onnx", *map(str, arguments)])
        if outcome.exception is not None:
            raise outcome.exception
        return outcome.stdout

    return invoke


def _write_data(root: Path, patients: tuple[str, ...]) -> Path:
    for index, patient in enumerate(patients):
        (root / patient).mkdir(parents=True)
        for number in (1, 2, 3):
            mask = np.zeros((SIDE, SIDE), np.uint8)
            if number == 2:
                mask[8:16, 8:16] = 255
            image = np.zeros((SIDE, SIDE, 3), np.uint8)
            image[8:16, 8 : 16 + index, 1] = mask[8:16, 8:9]
            Image.fromarray(image).save(root / patient / f"{patient}_{number}.tif")
            Image.fromarray(mask).save(root / patient / f"{patient}_{number}_mask.tif")
    return root


def test_table_fits_80_columns_and_holds_every_patient(run: Run, data: Path) -> None:
    text = run("--data", data)
    assert max(map(len, text.splitlines())) <= 80
    for patient in PATIENTS:
        assert patient in text
    assert "CS" in text
    assert "3 of 3 (100.0 %)" in text
    assert "0 of 6 (0.0 %)" in text
    assert "PHANTOM" not in text
    assert "*" not in text


def test_json_is_the_result(run: Run, data: Path, check_schema: Callable[[str, str], None]) -> None:
    told = run("--data", data, "--json")
    check_schema("evaluate", told)
    result = from_json(EvalResult, told)
    assert [score.patient for score in result.patients] == list(PATIENTS)
    assert result.patients[0].dice == 1.0
    assert result.patients[2].dice == pytest.approx(2 * 64 / (64 + 80))
    assert (result.artifact, result.data) == ("alphax-0.125-half/onnx-int8", "kaggle-lgg")


def test_named_patients_only(run: Run, data: Path) -> None:
    result = from_json(EvalResult, run("--data", data, "--patients", f"{PATIENTS[2]}, {PATIENTS[0]}", "--json"))
    assert [score.patient for score in result.patients] == [PATIENTS[2], PATIENTS[0]]


def test_one_fold_of_a_split(run: Run, data: Path, tmp_path: Path) -> None:
    path = _write_split(data, tmp_path / "split.json")
    first = json.loads(run("--data", data, "--split", path, "--json"))
    second = json.loads(run("--data", data, "--split", path, "--fold", 1, "--json"))
    assert [score["patient"] for score in first["patients"]] == [PATIENTS[1]]
    assert [score["patient"] for score in second["patients"]] == [PATIENTS[0], PATIENTS[2]]


def test_a_split_of_other_masks_is_refused(run: Run, data: Path, tmp_path: Path) -> None:
    path = _write_split(data, tmp_path / "split.json")
    Image.fromarray(np.full((SIDE, SIDE), 255, np.uint8)).save(data / PATIENTS[1] / f"{PATIENTS[1]}_1_mask.tif")
    with pytest.raises(SplitError, match=PATIENTS[1]):
        run("--data", data, "--split", path)


def test_seen_patients_are_refused_and_the_override_marks_the_table(run: Run, data: Path) -> None:
    seen = replace(CONTRACT, seen_patients=(patient_digest(PATIENTS[0]),))
    with pytest.raises(SeenPatientError, match=f"1 of the 3 patients given: {PATIENTS[0]}") as raised:
        run("--data", data, contract=seen)
    assert raised.value.exit_code == 2
    text = run("--data", data, "--allow-seen", contract=seen)
    assert f"{PATIENTS[0]}*" in text
    assert f"{PATIENTS[1]}*" not in text
    assert "SEEN PATIENTS" in text
    assert "used 1 of 3" in " ".join(text.split())
    assert json.loads(run("--data", data, "--allow-seen", "--json", contract=seen))["seen_patients"] == 1
    assert PATIENTS[1] in run("--data", data, "--patients", PATIENTS[1], contract=seen)


def test_the_unseen_alone_are_scored_where_asked(run: Run, data: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen = replace(CONTRACT, seen_patients=(patient_digest(PATIENTS[0]),))
    with caplog.at_level(logging.WARNING):
        scored = json.loads(run("--data", data, "--unseen", "--json", contract=seen))
    assert [score["patient"] for score in scored["patients"]] == list(PATIENTS[1:])
    assert scored["seen_patients"] == 0
    assert "1 of the 3 patients are left out" in caplog.text
    with pytest.raises(OptionError, match="--unseen and --allow-seen were both given"):
        run("--data", data, "--unseen", "--allow-seen", contract=seen)
    everybody = replace(CONTRACT, seen_patients=tuple(patient_digest(patient) for patient in PATIENTS))
    with pytest.raises(SeenPatientError, match="saw all 3 patients given, so --unseen leaves none"):
        run("--data", data, "--unseen", contract=everybody)


def test_pseudonyms_are_told_where_the_key_is(run: Run, tmp_path: Path) -> None:
    data, ids = _write_data(tmp_path / "clinic" / "kaggle_3m", ("4711042", "4711043")), ("4711042", "0815")
    entries = seen_entries(ids, key=key_for(ids))
    with pytest.raises(SeenPatientError, match="1 of the 2 patients given: 4711042"):
        run("--data", data, contract=replace(CONTRACT, seen_patients=entries))
    text = run("--data", data, "--allow-seen", contract=replace(CONTRACT, seen_patients=entries))
    assert "4711042*" in text
    assert "4711043*" not in text
    assert "CANNOT TELL" not in text


def test_pseudonyms_without_their_key_are_no_silence(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture, check_schema: Callable[[str, str], None]
) -> None:
    data = _write_data(tmp_path / "clinic" / "kaggle_3m", ("4711042", "4711043"))
    elsewhere = PatientKey(secret=bytes(32))
    contract = replace(CONTRACT, seen_patients=seen_entries(("4711042", "0815"), key=elsewhere))
    text = " ".join(run("--data", data, contract=contract).split())
    assert "CANNOT TELL" in text
    assert "2 of those seen stand in the artifact as pseudonyms" in text
    assert "?" in text.partition("Dice, mean")[2].partition("[0")[0]
    assert elsewhere.id in caplog.text
    told = run("--data", data, "--json", contract=contract)
    check_schema("evaluate", told)
    result = from_json(EvalResult, told)
    assert (result.seen_patients, result.seen_unknown) == (0, 2)


def test_phantoms_are_named_as_such(run: Run, tmp_path: Path) -> None:
    data = _write_data(tmp_path / "kaggle_3m", ("PHANTOM_PA_0001",))
    assert "RESTS ON PHANTOMS" in run("--data", data)


def test_weights_from_phantoms_are_named_as_such(run: Run, data: Path) -> None:
    assert "trained on PHANTOMS" in run("--data", data, contract=replace(CONTRACT, trained_on="phantom"))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("--patients", "TCGA_CS_0001_20000102"), DatasetError, f"Did you mean '{PATIENTS[0]}'"),
        (("--patients", " , "), OptionError, "names nobody"),
        (("--patients", PATIENTS[0], "--split", "split.json"), OptionError, "choose one"),
        (("--fold", "1"), OptionError, "without --split"),
        (("--split", "missing.json"), SplitError, "missing.json"),
        (("--threads", "0"), OptionError, "threads is 0"),
    ],
)
def test_bad_options(run: Run, data: Path, arguments: tuple[str, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        run("--data", data, *arguments)


def test_a_missing_folder(run: Run, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        run("--data", tmp_path / "nowhere")


def test_a_fold_that_is_not_there(run: Run, data: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="folds 0 to 1"):
        run("--data", data, "--split", _write_split(data, tmp_path / "split.json"), "--fold", 7)


def _write_split(data: Path, path: Path) -> Path:
    dataset = open_dataset(data)
    described = tuple(describe(dataset.volume(patient)) for patient in PATIENTS)
    folds = ((PATIENTS[1],), (PATIENTS[2], PATIENTS[0]))
    return write_split(Split(data=dataset.name, seed=0, folds=folds, patients=described), path)


def test_post_processing_and_flips_are_options_and_stand_in_the_table(run: Run, data: Path) -> None:
    dropping = replace(CONTRACT, post_processing=PostProcessing(min_volume_px=65))
    kept, dropped, raw = (
        from_json(EvalResult, run("--data", data, "--json", *options, contract=dropping))
        for options in (("--tta", "flips"), (), ("--no-post-processing",))
    )
    assert [result.patients[0].dice for result in (kept, dropped, raw)] == [0.0, 0.0, 1.0]
    assert dropped.patients[1] == raw.patients[1]
    assert (kept.flips, raw.flips) == ("flips", "none")
    assert (dropped.post_processing, raw.post_processing) == (dropping.post_processing, PostProcessing())
    text = run("--data", data, "--tta", "hflip", contract=dropping)
    assert max(map(len, text.splitlines())) <= 80
    assert "components under 65 voxels dropped" in text
    assert "hflip" in text


def test_unknown_flips_are_refused(run: Run, data: Path) -> None:
    with pytest.raises(OptionError, match="choose one of: none, hflip, vflip, flips"):
        run("--data", data, "--tta", "left")


def test_a_simulation_is_said_in_table_and_json(run: Run, data: Path) -> None:
    assert "SIMULATED: flair-only" in run("--data", data, "--simulate", "flair-only")
    assert from_json(EvalResult, run("--data", data, "--simulate", "no-pre", "--json")).simulation == "no-pre"
    with pytest.raises(OptionError, match="choose one of: none"):
        run("--data", data, "--simulate", "fog")


GROUPS = "patient;scanner;site\n" + "".join(
    f"{p};{s};X\n" for p, s in zip(PATIENTS, ("old", "new", "new"), strict=True)
)


def test_subgroups_are_scored_and_the_worst_is_named_with_its_interval(
    run: Run, data: Path, tmp_path: Path, check_schema: Callable[[str, str], None]
) -> None:
    (table := tmp_path / "groups.csv").write_text(GROUPS)
    asked = ("--data", data, "--subgroups", table, "--by", "scanner,site", "--min-subgroup", 1)
    text = run(*asked)
    assert max(map(len, text.splitlines())) <= 80
    told = " ".join(text.split())
    assert "The worst subgroup by scanner, of those of at least 1 patient: 'new', n = 2, Dice 0.9" in told
    raw = run(*asked, "--json")
    check_schema("evaluate", raw)
    result = from_json(EvalResult, raw)
    scanner, site = result.subgroups
    assert [(one.subgroup, one.patients) for one in scanner.subgroups] == [("new", 2), ("old", 1)]
    assert scanner.subgroups[0].dice.mean == np.mean([score.dice for score in result.patients[1:]])
    assert (scanner.worst, site.worst, site.subgroups[0].dice) == ("new", "X", result.dice)


def test_a_subgroup_that_is_too_small_is_never_the_worst(run: Run, data: Path) -> None:
    result = from_json(EvalResult, run("--data", data, "--by", "site", "--min-subgroup", 2, "--json"))
    assert [one.subgroup for one in result.subgroups[0].subgroups] == ["CS", "DU"]
    assert result.subgroups[0].worst == "CS"
    assert "has 5 patients or more, so none is called" in " ".join(run("--data", data, "--by", "site").split())


@pytest.mark.parametrize(
    ("table", "options", "error", "message"),
    [
        (None, ("--by", "scanner"), OptionError, "--subgroups FILE"),
        (None, ("--min-subgroup", "3"), OptionError, "without --by"),
        (None, ("--by", " ,"), OptionError, "names no column"),
        (GROUPS, ("--by", "site", "--min-subgroup", "0"), OptionError, "at least 1 patient"),
        (GROUPS, ("--by", "vendor"), DatasetError, "the column 'vendor' is missing; its columns are patient, scanner"),
        ("patient,scanner\nother,a\n", ("--by", "scanner"), DatasetError, "3 of 3 patients have no row"),
        (GROUPS + f"{PATIENTS[0]};new;X\n", ("--by", "scanner"), DatasetError, "in two subgroups by 'scanner'"),
        ("scanner\nold\n", ("--by", "scanner"), DatasetError, "the column 'patient' is missing"),
    ],
    ids=["no table", "no column", "empty", "no patient", "other column", "no row", "two subgroups", "no patients"],
)
def test_subgroups_that_cannot_be(
    run: Run, data: Path, tmp_path: Path, table: str | None, options: tuple[str, ...], error: type[Exception],
    message: str,
) -> None:  # fmt: skip
    given: tuple[object, ...] = ()
    if table is not None:
        (tmp_path / "groups.csv").write_text(table)
        given = ("--subgroups", tmp_path / "groups.csv")
    with pytest.raises(error, match=message):
        run("--data", data, *given, *options)


def test_channels_of_another_cohort_are_taken_by_the_networks_names(run: Run, data: Path) -> None:
    as_is = from_json(EvalResult, run("--data", data, "--json"))
    turned = from_json(EvalResult, run("--data", data, "--channels", "flair=pre,pre=t2f", "--json"))
    back = from_json(EvalResult, run("--data", data, "--channels", "flair=flair", "--json"))
    assert back == as_is
    assert as_is.dice.mean > turned.dice.mean == 0.0
    for channels, message in (
        ("t2=flair", "gives the network 't2', and it takes: pre, flair, post"),
        ("flair=t2", "takes 't2' of the data set 'kaggle-lgg', and its channels are: pre, flair, post"),
        ("flair", "'flair' was given and --channels"),
    ):
        with pytest.raises(OptionError, match=message):
            run("--data", data, "--channels", channels)
