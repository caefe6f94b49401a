"""What `edgeseg train` and `edgeseg build` say on Ctrl-C, and what `edgeseg train` says of folds and devices."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from edgeseg.checkpoint import read_checkpoint
from edgeseg.cli._print import show
from edgeseg.cli.main import main
from edgeseg.data.split import Split, SplitPatient, write_split
from edgeseg.reports.folds import out_of_fold_table
from edgeseg.results import FoldScore, InstitutionScore, Interval, OutOfFoldPatient, OutOfFoldResult, PatientScore
from edgeseg.specs import TrainSpec, VariantSpec
from edgeseg.stages.train.run_folder import STATE


def stop(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def run(*arguments: object) -> object:
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    return ended.value.code


def test_ctrl_c_says_how_to_go_on_only_where_something_was_saved(
    tiny_lgg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgeseg.stages.train.train", stop)
    out = tmp_path / "run"
    command = ("train", "--data", tiny_lgg, "--cache", tmp_path / "cache", "--out", out)
    assert run(*command) == 130
    assert "--resume" not in capsys.readouterr().err
    out.mkdir()
    (out / STATE).touch()
    assert run(*command) == 130
    assert f"what is done so far is in {out}, go on with --resume" in capsys.readouterr().err


def test_ctrl_c_in_a_build_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgeseg.stages.build.build_matrix", stop)
    assert run("build", "--target", "all", "--out", tmp_path / "build") == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_ctrl_c_in_folds_says_how_to_go_on(
    tiny_lgg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgeseg.stages.folds.train.run_fold", stop)
    out = tmp_path / "folds"
    command = ("train", "--data", tiny_lgg, "--cache", tmp_path / "cache", "--out", out, "--folds", 3)
    assert run(*command) == 130
    said = capsys.readouterr().err
    assert "fold0, of 3 folds" in said
    assert "--resume" not in said
    (out / "fold0").mkdir(parents=True)
    (out / "fold0" / STATE).touch()
    assert run(*command, "--resume") == 130
    assert f"what is done so far is in {out}, go on with --resume" in capsys.readouterr().err
    assert run(*command) == 2
    assert "already holds a run; go on with --resume" in capsys.readouterr().err


def test_folds_that_start_from_folds_train_the_same_network(
    tiny_lgg: Path, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[VariantSpec] = []

    def jobs(_: object, spec: TrainSpec, *__: object, **___: object) -> NoReturn:
        asked.append(spec.variant)
        raise KeyboardInterrupt

    monkeypatch.setattr("edgeseg.stages.folds.fold_jobs", jobs)
    folds = tmp_path / "folds"
    (folds / "fold0").mkdir(parents=True)
    (folds / "fold0" / "weights.safetensors").write_bytes(tiny_checkpoint.read_bytes())
    options = ("--cache", tmp_path / "cache", "--out", tmp_path / "next", "--folds", 3, "--from", folds)
    assert run("train", "--data", tiny_lgg, *options) == 130
    assert asked == [read_checkpoint(tiny_checkpoint).header.variant]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--folds", 2, "--fold", 1), "--fold 1 trains one fold and --folds 2 all of them"),
        (("--ray",), "add --folds K"),
        (("--folds", 2, "--ray-cpus", 1), "--ray-cpus 1 was given without --ray"),
        (("--folds", 1), "folds is 1; training and validation need at least 2"),
        (("--folds", 7), "7 folds were asked for and"),
        (("--devices", 2), "training on several devices runs on the jax backend only, not tensorflow"),
        (("--devices", 0), "devices is 0; it must be at least 1"),
        (("--folds", 3, "--split", "folds.json"), "--folds is 3 and folds.json has 2"),
    ],
)
def test_folds_and_devices_that_cannot_be_are_refused(
    options: tuple[object, ...],
    message: str,
    tiny_lgg: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    patients = tuple(
        SplitPatient(patient=p, institution="", slices=1, tumour_slices=0, tumour_pixels=0, mask_sha256="")
        for p in ("a", "b")
    )
    write_split(Split(data="d", seed=0, folds=(("a",), ("b",)), patients=patients), tmp_path / "folds.json")
    assert run("train", "--data", tiny_lgg, "--cache", tmp_path / "cache", "--out", tmp_path / "run", *options) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


def test_the_table_of_folds(capsys: pytest.CaptureFixture[str]) -> None:
    score = PatientScore(
        patient="p",
        institution="AA",
        slices=9,
        dice=0.5,
        iou=0.4,
        precision=0.5,
        recall=0.5,
        pixel_accuracy=0.9,
        hd95_px=None,
        lesions=3,
        lesions_found=2,
        tumour_free_slices=7,
        false_positive_slices=1,
    )
    fold = FoldScore(fold=0, weights="w", sha256="0", train_patients=4, patients=1, dice_mean=0.25, dice_median=0.125)
    result = OutOfFoldResult(
        variant="alphax-0.125-half",
        data="phantom",
        backend="jax",
        seed=3,
        folds=(fold,),
        patients=(OutOfFoldPatient(fold=0, score=score),),
        dice=Interval(mean=0.5, low=0.4, high=0.6),
        dice_median=0.75,
        lesion_recall=2 / 3,
        false_positive_slice_rate=1 / 7,
        institutions=(InstitutionScore(institution="AA", patients=1, dice_mean=0.5, dice_median=0.75),),
        threshold=0.5,
        numerics="float32",
        bootstrap_seed=3,
        bootstrap_samples=10,
        versions={},
    )
    show(out_of_fold_table(result))
    text = " ".join(capsys.readouterr().out.split())
    assert "0 1 0.250 0.125" in text
    assert "AA 1 0.500 0.750" in text
    assert "mean 0.500 [0.400, 0.600] (95 % over patients), median 0.750" in text
    assert "lesions found: 2 of 3; tumour-free slices marked: 1 of 7" in text
    assert "RESTS ON PHANTOMS" in text
