"""The main job over folds: each fold a build of its own, and one report over every patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeseg.checkpoint import read_checkpoint, write_checkpoint
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import ArtifactError, DatasetError, OptionError
from edgeseg.specs import BuildSpec, VariantSpec
from edgeseg.stages import build as stage
from edgeseg.stages.build_folds import build_folds, fold_specs
from edgeseg.stages.check_inputs import read_artifacts
from edgeseg.stages.matrix import every_variant
from edgeseg.stages.report import read_build


@pytest.fixture
def folds(tiny_lgg: Path, make_folds: Callable[..., Path]) -> Path:
    """Two folds of one training: each holds out the patients that the other learned from."""
    first, second = KaggleLgg(tiny_lgg).patients[:3], KaggleLgg(tiny_lgg).patients[3:]
    return make_folds((first, second), (second, first))


@pytest.fixture
def spec(folds: Path, tiny_lgg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_build: Any) -> BuildSpec:
    known = make_build().baseline
    monkeypatch.setattr(stage, "baseline", lambda **_: known)
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
    with pytest.raises(ArtifactError, match=r"builds of 2 folds together.*check one of them, such as .*fold0"):
        read_artifacts([spec.out])


def test_folds_may_have_widths_of_their_own_and_nothing_else(spec: BuildSpec, folds: Path) -> None:
    fold = read_checkpoint(folds / "fold1")
    pruned = replace(fold.header, variant=replace(fold.header.variant, widths=(4,) * 22))
    write_checkpoint(fold.path, pruned, fold.arrays)
    (first,), (second,) = fold_specs((spec,))
    assert (first.variant, second.variant) == (spec.variant, pruned.variant)
    assert (first.out, second.out) == (spec.out / "fold0", spec.out / "fold1")
    assert (first.checkpoint, second.checkpoint) == (folds / "fold0", folds / "fold1")
    other = replace(spec, variant=VariantSpec(name="unet", alpha=0.0625))
    assert [one.variant for (one,) in fold_specs((other,))] == [other.variant] * 2


def test_variants_are_built_side_by_side_only_on_the_same_folds(spec: BuildSpec, folds: Path, tmp_path: Path) -> None:
    fold = read_checkpoint(folds / "fold0")
    header = replace(fold.header, variant=replace(fold.header.variant, widths=(4,) * 22))
    write_checkpoint(tmp_path / "few" / "fold0" / "weights.safetensors", header, fold.arrays)
    with pytest.raises(OptionError, match=r"folds holds fold0, fold1 and .*few fold0; .*that hold the same ones"):
        fold_specs(every_variant(spec, (folds, tmp_path / "few")))
    single = replace(spec, checkpoint=folds / "fold0")
    with pytest.raises(OptionError, match=r"holds fold0, fold1 and .* no folds"):
        fold_specs((spec, single))
    assert fold_specs((single,)) == ()
    assert fold_specs((replace(spec, checkpoint=None),)) == ()


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"data": None}, OptionError, r"give the data of these with --data"),
        ({"allow_seen": True}, OptionError, r"--allow-seen would score every patient in every fold"),
    ],
)
def test_what_would_score_a_patient_twice_is_refused_before_anything_is_built(
    spec: BuildSpec, changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        build_folds(fold_specs((replace(spec, **changes),)), stage.build_matrix)
    assert not spec.out.exists()


def test_patients_whom_no_fold_learned_from_are_refused(
    spec: BuildSpec, tiny_lgg: Path, make_folds: Callable[..., Path]
) -> None:
    patients = KaggleLgg(tiny_lgg).patients
    make_folds((patients[:3], patients[3:5]), (patients[3:5], patients[:3]))
    with pytest.raises(DatasetError, match=r"TCGA_BB_0006_20000106 would be scored by fold0 and by fold1"):
        build_folds(fold_specs((spec,)), stage.build_matrix)
    assert not spec.out.exists()
