"""The main job over folds: each fold a build of its own, and one report over every patient."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeseg.artifacts import read_build, sha256_file
from edgeseg.checkpoint import RecipeRecord, read_checkpoint, write_checkpoint
from edgeseg.cli.main import main
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import ArtifactError, CheckpointError, DatasetError, OptionError
from edgeseg.jsonio import to_json
from edgeseg.results import Choice
from edgeseg.specs import BuildSpec, VariantSpec
from edgeseg.stages.build.folds import build_folds, fold_specs
from edgeseg.stages.build.matrix import every_variant
from edgeseg.stages.check.inputs import read_artifacts

stage = importlib.import_module("edgeseg.stages.build.build")  # the file, not the function that the room names alike


@pytest.fixture
def folds(tiny_lgg: Path, make_folds: Callable[..., Path]) -> Path:
    """Two folds of one training: each holds out the patients that the other learned from."""
    first, second = KaggleLgg(tiny_lgg).patients[:3], KaggleLgg(tiny_lgg).patients[3:]
    return make_folds((first, second), (second, first))


@pytest.fixture
def spec(folds: Path, tiny_lgg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_build: Any) -> BuildSpec:
    known = make_build().baseline
    monkeypatch.setattr(stage, "measure_original", lambda **_: known)
    return BuildSpec(
        variant=VariantSpec(name="alphax", alpha=0.0625, stem="half"),
        targets=("onnx-fp32",),
        out=tmp_path / "build",
        data=tiny_lgg,
        checkpoint=folds,
        bench_runs=2,
        r2=False,
    )


def test_every_patient_is_scored_by_the_fold_that_held_them_out(spec: BuildSpec, tiny_lgg: Path) -> None:
    result = build_folds(fold_specs((spec,)), stage.build_matrix)
    for row in result.artifacts:
        assert row.evaluation is not None
        assert row.evaluation.seen_patients == 0
        assert sorted(score.patient for score in row.evaluation.patients) == sorted(KaggleLgg(tiny_lgg).patients)
    assert (result.folds, result.training_patients) == (2, 3)
    assert read_build(spec.out) == result
    parts = [read_build(spec.out / f"fold{number}") for number in range(2)]
    assert [part.folds for part in parts] == [0, 0]
    assert result.artifacts[1].size_bytes == max(part.artifacts[1].size_bytes for part in parts)
    assert "OUT OF FOLD" in (spec.out / "report.md").read_text()
    with pytest.raises(ArtifactError, match=r"builds of 2 folds together and holds no file to check"):
        read_artifacts([spec.out])


def prune(run: Path, place: Path, *, channels: int = 4, macs: str = "0.5") -> VariantSpec:
    """Write the same weights as of a network whose channels were removed; no build of them can work."""
    fold = read_checkpoint(run)
    variant = replace(fold.header.variant, widths=(channels,) * 22)
    record = RecipeRecord(recipe="channel-prune", options={"macs": macs}, parent_sha256=place.name)
    train = replace(fold.header.train, variant=variant)
    header = replace(fold.header, variant=variant, train=train, recipe=record)
    write_checkpoint(place / "weights.safetensors", header, fold.arrays)
    return variant


def test_folds_may_have_widths_of_their_own_and_nothing_else(spec: BuildSpec, folds: Path) -> None:
    pruned = [prune(folds / f"fold{n}", folds / f"fold{n}", channels=4 + n) for n in range(2)]
    spec = replace(spec, variant=pruned[0])
    (first,), (second,) = fold_specs((spec,))
    assert [first.variant, second.variant] == pruned
    assert (first.out, second.out) == (spec.out / "fold0", spec.out / "fold1")
    assert (first.checkpoint, second.checkpoint) == (folds / "fold0", folds / "fold1")
    other = replace(spec, variant=VariantSpec(name="unet", alpha=0.0625))
    assert [one.variant for (one,) in fold_specs((other,))] == [other.variant] * 2
    with pytest.raises(CheckpointError, match=r"'unet-0.0625-half' was asked for"):
        build_folds(fold_specs((other,)), stage.build_matrix)
    with pytest.raises(OptionError, match=r"these folds have widths of their own; leave out --choice"):
        build_folds(fold_specs((replace(spec, choice=folds),)), stage.build_matrix)
    assert not spec.out.exists()


def test_folds_that_were_compressed_otherwise_are_refused(spec: BuildSpec, folds: Path) -> None:
    prune(folds / "fold1", folds / "fold1")
    with pytest.raises(CheckpointError, match=r"were trained with other options"):
        fold_specs((spec,))
    prune(folds / "fold0", folds / "fold0", macs="0.9")
    with pytest.raises(CheckpointError, match=r"were trained with other options"):
        fold_specs((spec,))


def test_folds_that_are_not_finished_are_refused(spec: BuildSpec, folds: Path) -> None:
    fold = read_checkpoint(folds / "fold1")
    write_checkpoint(fold.path, replace(fold.header, epoch=fold.header.train.epochs - 1), fold.arrays)
    with pytest.raises(CheckpointError, match=r"fold1 is at epoch .* finish it"):
        fold_specs((spec,))


def test_variants_are_built_side_by_side_only_on_the_same_folds(spec: BuildSpec, folds: Path, tmp_path: Path) -> None:
    prune(folds / "fold0", tmp_path / "few" / "fold0")
    with pytest.raises(OptionError, match=r"folds holds fold0, fold1 and .*few fold0; .*that hold the same ones"):
        fold_specs(every_variant(spec, (folds, tmp_path / "few")))
    single = replace(spec, checkpoint=folds / "fold0")
    with pytest.raises(OptionError, match=r"holds fold0, fold1 and .* no folds"):
        fold_specs((spec, single))
    assert fold_specs((single,)) == ()
    assert fold_specs((replace(spec, checkpoint=None),)) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": None}, r"give the data of these with --data"),
        ({"allow_seen": True}, r"--allow-seen would score every patient in every fold"),
        ({"max_drop": 0.01}, r"--max-drop searches for one network, and each fold has its own"),
    ],
)
def test_what_cannot_be_done_over_folds_is_refused_before_anything_is_built(
    spec: BuildSpec, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(OptionError, match=said):
        build_folds(fold_specs((replace(spec, **changes),)), stage.build_matrix)
    assert not spec.out.exists()


@pytest.mark.parametrize(
    ("learned", "said"),
    [
        ((slice(0, 3), slice(3, 5)), r"TCGA_BB_0006_20000106 first, fold0 and fold1 would score them"),
        ((slice(0, 4), slice(3, 6)), r"TCGA_AA_0004_20000104 first, every fold learned from them"),
    ],
)
def test_a_patient_whom_not_exactly_one_fold_holds_out_is_refused(
    spec: BuildSpec, tiny_lgg: Path, make_folds: Callable[..., Path], learned: tuple[slice, slice], said: str
) -> None:
    patients = KaggleLgg(tiny_lgg).patients
    first, second = (patients[part] for part in learned)
    make_folds((first, patients[4:5]), (second, patients[:1]))
    with pytest.raises(DatasetError, match=said):
        build_folds(fold_specs((spec,)), stage.build_matrix)
    assert not spec.out.exists()


def test_a_choice_is_worth_the_same_to_all_patients_together(
    spec: BuildSpec, choice: Choice, tiny_lgg: Path, tmp_path: Path
) -> None:
    groups = tuple(
        replace(group, patients=(p,)) for group, p in zip(choice.groups, KaggleLgg(tiny_lgg).patients, strict=False)
    )
    (tmp_path / "choice.json").write_text(to_json(replace(choice, groups=groups)))
    result = build_folds(fold_specs((replace(spec, choice=tmp_path / "choice.json"),)), stage.build_matrix)
    assert result.operating_point is not None
    assert "were chosen on 2 of these 6 patients" in result.operating_point


def test_the_choice_in_the_folder_of_folds_is_taken(spec: BuildSpec, choice: Choice, folds: Path) -> None:
    sha = sha256_file(folds / "fold0" / "weights.safetensors")
    made = replace(choice, groups=tuple(replace(group, weights_sha256=sha) for group in choice.groups))
    (folds / "choice.json").write_text(to_json(made))
    assert {one.choice for fold in fold_specs((spec,)) for one in fold} == {folds / "choice.json"}
    other = replace(spec, choice=folds / "other.json")
    assert {one.choice for fold in fold_specs((other,)) for one in fold} == {other.choice}
    (folds / "choice.json").write_text(to_json(choice))
    with pytest.raises(OptionError, match="chosen for other weights"):
        fold_specs((spec,))


def test_the_command_takes_folds(spec: BuildSpec, folds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("build", "--from", folds, "--data", spec.data, "--target", "onnx-fp32", "--out", spec.out, "--no-r2")
    with pytest.raises(SystemExit) as end:
        main([*map(str, words), "--bench-runs", "2"])
    out, err = capsys.readouterr()
    assert end.value.code == 0
    assert "fold1, of 2 folds" in err
    assert "OUT OF FOLD" in out
    with pytest.raises(SystemExit) as end:
        main(["report", str(spec.out), "--html", str(spec.out / "page.html")])
    assert end.value.code == 0
    assert "OUT OF FOLD" in (spec.out / "page.html").read_text()
    with pytest.raises(SystemExit) as end:
        main(["report", str(spec.out), "--html", str(spec.out / "page2.html"), "--pictures", str(spec.data)])
    assert end.value.code == 2
    assert "holds no file to draw with" in capsys.readouterr().err
