"""Choosing an operating point on some folds and scoring it on another, on logits drawn by hand."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.checkpoint import Checkpoint, CheckpointHeader
from edgeseg.errors import DatasetError, OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.metrics import bootstrap_interval, paired_interval
from edgeseg.results import Choice
from edgeseg.specs import ImageSpec, OperatingPoint, PostProcessing, TrainSpec, VariantSpec
from edgeseg.stages.choose.choice import CHOICE_FILE, choice_beside, choice_for, read_choice
from edgeseg.stages.choose.choose import choose
from edgeseg.stages.choose.nested import SHIPPED
from edgeseg.stages.folds.logits import FoldRun
from edgeseg.stages.predict import checkpoint_contract

stage = importlib.import_module("edgeseg.stages.choose.choose")  # the file, not the function that the room names alike

VARIANT = VariantSpec(name="alphax", alpha=0.0625, stem="half")
PATIENTS = ("P0", "P1", "P2", "P3", "P4", "P5")
SIDE = 32


class Heads:
    """Stands for a slice cache: 4 slices a patient, tumour of 10 x 10 pixels on slices 1 and 2."""

    name = "toy"
    patients = PATIENTS

    def volume(self, patient: str) -> Any:
        reference = np.zeros((4, SIDE, SIDE), np.bool_)
        reference[1:3, 10:20, 10:20] = True
        return type("Volume", (), {"reference": reference})


def logits_of(patient: str, flips: str) -> NDArray[np.float32]:
    """A tumour at probability 0.55 ... 0.8, a rim at 0.62 that is none, and an island on slice 0.

    So a threshold of 0.65 is right for all but P0, whose tumour it loses, and the island has to be dropped: by its
    size, since it is all that is left of P0.
    """
    drawn = np.full((4, SIDE, SIDE), -4.0, np.float32)
    drawn[1:3, 8:22, 8:22] = np.log(0.62 / 0.38)
    drawn[1:3, 10:20, 10:20] = np.log(0.55 / 0.45) if patient == "P0" else np.log(0.8 / 0.2)
    drawn[0, 28:31, 28:31] = 5.0 if flips == "none" else -5.0
    return drawn


@pytest.fixture(autouse=True)
def drawn_folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three folds of two patients each; a `one` beside them that held out all six."""
    header = CheckpointHeader(
        kind="weights",
        variant=VARIANT,
        image=ImageSpec(height=SIDE, width=SIDE),
        train=TrainSpec(variant=VARIANT),
        data="toy",
        data_hash="0",
        train_patients=("T",),
        validation_patients=(),
        epoch=120,
        backend="tensorflow",
        versions={},
    )

    def run(folder: Path, patients: tuple[str, ...]) -> FoldRun:
        held_out = replace(header, validation_patients=patients)
        return FoldRun(folder, Checkpoint(header=held_out, arrays={}, path=folder), f"sha of {folder.name}")

    def find(out: Path) -> tuple[FoldRun, ...]:
        if out.name == "one":
            return (run(out, PATIENTS),)
        if out.name == "single":
            return (run(out, PATIENTS[:1]),)
        return tuple(run(out / f"fold{n}", PATIENTS[2 * n : 2 * n + 2]) for n in range(3))

    def held_out(run: FoldRun, cache: Heads, *, flips: str, progress: Any) -> Iterator[tuple[str, Any]]:
        for patient in run.patients:
            progress(0, None, patient)
            yield patient, logits_of(patient, flips)

    monkeypatch.setattr(stage, "find_runs", find)
    monkeypatch.setattr(stage, "check_data", lambda runs, cache: None)
    monkeypatch.setattr(stage, "held_out_logits", held_out)


def chosen_on(out: Path, **options: Any) -> Choice:
    return choose(out, Heads(), **options)  # type: ignore[arg-type]


def test_each_fold_is_scored_at_what_the_others_chose(tmp_path: Path) -> None:
    choice = chosen_on(tmp_path)
    step = choice.step(choice.shipped_step)
    # Every patient but P0 wants 0.65. Those who chose without P0 drop the island by its share of the tumour, which does
    # not help P0: without a tumour, the island is the largest component.
    assert [point.threshold for point in step.chosen] == [0.65, 0.65, 0.65]
    assert [step.dice_by_patient[patient] for patient in PATIENTS] == [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert step.dice == bootstrap_interval([0.0, 1, 1, 1, 1, 1], seed=0)
    assert (step.dice_median, step.false_positive_slices, step.tumour_free_slices) == (1.0, 1, 12)
    assert choice.left_out == "fold"
    assert [group.patients for group in choice.groups] == [("P0", "P1"), ("P2", "P3"), ("P4", "P5")]
    assert [group.weights_sha256 for group in choice.groups] == ["sha of fold0", "sha of fold1", "sha of fold2"]


def test_what_is_scored_never_chose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fold whose patients all want another threshold is scored at that of the others."""

    def odd(patient: str, flips: str) -> NDArray[np.float32]:
        return logits_of("P0" if patient in ("P0", "P1") else patient, flips)

    monkeypatch.setattr(stage, "held_out_logits", _giving(odd))
    step = chosen_on(tmp_path).step("threshold")
    assert step.dice_by_patient["P0"] == step.dice_by_patient["P1"] == 0.0
    assert [point.threshold for point in step.chosen] == [0.65, 0.5, 0.5]


def _giving(draw: Any) -> Any:
    def held_out(run: FoldRun, cache: Heads, *, flips: str, progress: Any) -> Iterator[tuple[str, Any]]:
        for patient in run.patients:
            progress(0, None, patient)
            yield patient, draw(patient, flips)

    return held_out


def test_every_way_of_choosing_is_held_against_plain(tmp_path: Path) -> None:
    choice = chosen_on(tmp_path, flips="vflip")
    names = [step.name for step in choice.steps]
    assert names == [
        "plain",
        "threshold",
        "post-processing",
        "threshold and post-processing",
        "vflip",
        "the same with vflip",
        "lone slices",
    ]
    plain = choice.step("plain")
    assert plain.delta is None
    assert plain.chosen == (OperatingPoint(),) * 3
    assert plain.false_positive_slices == 6
    for step in choice.steps[1:]:
        values, before = list(step.dice_by_patient.values()), list(plain.dice_by_patient.values())
        assert step.delta == paired_interval(values, before, seed=0)
    assert {point.threshold for point in choice.step("post-processing").chosen} == {0.5}
    assert {point.post_processing for point in choice.step("threshold").chosen} == {PostProcessing()}
    assert choice.step("post-processing").false_positive_slices == 0
    assert choice.step("vflip").false_positive_slices == 0
    assert {step.name: step.flips for step in choice.steps if step.flips != "none"} == {
        "vflip": "vflip",
        "the same with vflip": "vflip",
    }


def test_lone_slices_take_the_threshold_of_volumes_and_their_own_area(tmp_path: Path) -> None:
    choice = chosen_on(tmp_path)
    step = choice.step("lone slices")
    assert [p.threshold for p in step.chosen] == [p.threshold for p in choice.step(choice.shipped_step).chosen]
    assert {p.post_processing for p in step.chosen} == {PostProcessing(min_area_px=10)}
    assert step.false_positive_slices == 0


def test_what_ships_is_chosen_on_all_and_written(tmp_path: Path) -> None:
    choice = chosen_on(tmp_path)
    assert choice.chosen == OperatingPoint(
        threshold=0.65, post_processing=PostProcessing(min_area_px=10, min_volume_px=25)
    )
    assert choice.cap_met
    assert from_json(Choice, to_json(choice)) == choice
    assert read_choice(tmp_path, variant=VARIANT.slug) == choice
    assert read_choice(tmp_path / CHOICE_FILE, variant=VARIANT.slug) == choice


def test_the_cap_bounds_false_alarms_or_says_that_it_could_not(tmp_path: Path) -> None:
    loose, tight = chosen_on(tmp_path, max_fp_share=1.0), chosen_on(tmp_path, max_fp_share=0.0)
    assert not tight.step("threshold").cap_met
    assert loose.step("threshold").cap_met
    assert tight.step(tight.shipped_step).cap_met
    assert tight.cap_met


def test_one_run_is_nested_by_patient(tmp_path: Path) -> None:
    choice = chosen_on(tmp_path / "one")
    assert choice.left_out == "patient"
    assert [group.patients for group in choice.groups] == [(patient,) for patient in PATIENTS]
    assert len(choice.steps[0].chosen) == 6


def test_progress_counts_logits_and_scores_of_both_passes(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    chosen_on(tmp_path, progress=lambda done, total, _: told.append((done, total)))
    assert told == [(done, 24) for done in range(1, 25)]


def test_one_patient_cannot_be_nested(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError,
        match=r"fewer than two patients were held out in all \(1\).* on folds with 'edgeseg train --folds'",
    ):
        chosen_on(tmp_path / "single")
    assert not (tmp_path / "single").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_fp_share": 1.5}, "max-fp-share is 1.5"),
        ({"max_fp_share": -1.0}, "max-fp-share"),
        ({"flips": "x"}, "'x'"),
        ({"passes": 3}, "choose 1 or 2"),
        ({"passes": 2, "flips": "vflip"}, "passes is 2, so the flips are hflip, and 'vflip' was given"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        chosen_on(tmp_path, **options)
    assert not (tmp_path / CHOICE_FILE).exists()


def test_with_two_passes_the_point_is_chosen_on_the_mean_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mean of both passes has the tumour at 0.3, so that a lower threshold is right, and no island."""

    def draw(patient: str, flips: str) -> NDArray[np.float32]:
        drawn = logits_of(patient, flips)
        return drawn if flips == "none" else np.where(drawn > np.log(3), np.log(0.3 / 0.7), -4.0).astype(np.float32)

    monkeypatch.setattr(stage, "held_out_logits", _giving(draw))
    once, twice = chosen_on(tmp_path / "once"), chosen_on(tmp_path / "twice", passes=2)
    assert (once.chosen.passes, once.chosen.threshold, once.shipped_step) == (1, 0.65, SHIPPED)
    assert twice.chosen.passes == 2
    assert twice.chosen.threshold < 0.3
    assert twice.shipped_step == "the same with hflip"
    assert twice.step(twice.shipped_step).dice.mean == once.step("the same with hflip").dice.mean
    assert twice.step("lone slices").chosen[0].threshold == twice.step(twice.shipped_step).chosen[0].threshold
    assert read_choice(tmp_path / "twice", variant=VARIANT.slug) == twice


def test_a_network_whose_contract_says_two_passes_is_chosen_for_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "checkpoint_contract", lambda header: replace(checkpoint_contract(header), passes=2))
    assert chosen_on(tmp_path).chosen.passes == 2
    with pytest.raises(OptionError, match="passes is 2, so the flips are hflip, and 'vflip' was given"):
        chosen_on(tmp_path, flips="vflip")


def test_choices_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="make one with 'edgeseg choose'"):
        read_choice(tmp_path / "absent.json", variant=VARIANT.slug)
    chosen_on(tmp_path)
    path = tmp_path / CHOICE_FILE
    with pytest.raises(OptionError, match=r"chosen for 'alphax-0.0625-half' and the weights are of 'unet'"):
        read_choice(path, variant="unet")
    plain = json.loads(path.read_text())
    for change, told in (
        ({"schema_version": 9}, "schema version 9"),
        ({"chosen": {"threshold": 1.0}}, "choose again"),
        ({"shipped_step": "other"}, "shipped_step is 'other', and the steps are: plain"),
    ):
        path.write_text(json.dumps(plain | change))
        with pytest.raises(OptionError, match=told):
            read_choice(path, variant=VARIANT.slug)
    path.write_text("{")
    with pytest.raises(OptionError, match="not what 'edgeseg choose' writes"):
        read_choice(path, variant=VARIANT.slug)


def test_several_masks_get_a_point_each_and_their_mean_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One mask as in the other tests, and one that is right at a low threshold alone."""
    names, found = ("whole", "core"), stage.find_runs(tmp_path)
    image = ImageSpec(height=SIDE, width=SIDE, classes=names)

    def find(_out: Path) -> tuple[FoldRun, ...]:
        return tuple(
            replace(run, checkpoint=replace(run.checkpoint, header=replace(run.checkpoint.header, image=image)))
            for run in found
        )

    def both(patient: str, flips: str) -> NDArray[np.float32]:
        low = np.full((4, SIDE, SIDE), -4.0, np.float32)
        low[1:3, 12:18, 12:18] = np.log(0.2 / 0.8)
        return np.stack([logits_of(patient, flips), low], axis=-1)

    class Both(Heads):
        def volume(self, patient: str) -> Any:
            whole = Heads.volume(self, patient).reference
            core = np.zeros_like(whole)
            core[1:3, 12:18, 12:18] = True
            return type("Volume", (), {"reference": np.stack([whole, core], axis=-1), "classes": names, "patient": ""})

    alone = chosen_on(tmp_path)
    monkeypatch.setattr(stage, "find_runs", find)
    monkeypatch.setattr(stage, "held_out_logits", _giving(both))
    choice = choose(tmp_path, Both())  # type: ignore[arg-type]
    whole, core = choice.chosen.classes
    assert (whole.name, whole.threshold, whole.post_processing) == (
        "whole",
        alone.chosen.threshold,
        alone.chosen.post_processing,
    )
    assert (core.name, core.threshold) == ("core", 0.15)
    assert [one.name for one in choice.classes] == list(names)
    assert choice.classes[0].steps == alone.steps
    shipped = choice.step(choice.shipped_step)
    parts = [next(step for step in one.steps if step.name == choice.shipped_step) for one in choice.classes]
    assert shipped.dice.mean == pytest.approx(sum(part.dice.mean for part in parts) / 2)
    assert shipped.lesions == sum(part.lesions for part in parts)
    assert read_choice(tmp_path, variant=VARIANT.slug) == choice
    drawn = checkpoint_contract(find(tmp_path)[0].checkpoint.header)
    applied = choice.chosen.applied(drawn)
    assert [region.threshold for region in applied.regions] == [whole.threshold, 0.15]
    with pytest.raises(OptionError, match=r"chosen for whole, core, and the network draws one mask"):
        choice.chosen.applied(replace(drawn, regions=(), classes=()))


def test_a_network_that_scores_0_everywhere_is_given_no_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "held_out_logits", _giving(lambda _patient, _flips: np.full((4, SIDE, SIDE), -9.0)))
    with pytest.raises(DatasetError, match=r"scores 0 at every threshold.*no choice\.json was written; train longer"):
        chosen_on(tmp_path)
    assert not (tmp_path / CHOICE_FILE).exists()


def test_a_run_brings_its_choice_unless_it_was_trained_anew(tmp_path: Path) -> None:
    assert choice_for(tmp_path, variant=VARIANT.slug, weights_sha256="sha of fold1") is None
    made = chosen_on(tmp_path)
    assert choice_beside(tmp_path) == choice_beside(tmp_path / "weights.safetensors") == tmp_path / CHOICE_FILE
    assert choice_for(tmp_path, variant=VARIANT.slug, weights_sha256="sha of fold1") == made
    with pytest.raises(OptionError, match="chosen for other weights than those beside it; choose again"):
        choice_for(tmp_path, variant=VARIANT.slug, weights_sha256="trained anew")
