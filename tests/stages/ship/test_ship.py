"""Shipping weights with a card."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg import artifacts
from edgeseg.checkpoint import CheckpointHeader, read_checkpoint, write_checkpoint
from edgeseg.data.split import read_split
from edgeseg.errors import CheckpointError, DataError, OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.results import BuildResult, Choice, EpochRecord
from edgeseg.specs import ImageSpec, TrainSpec, VariantSpec
from edgeseg.stages.choose.choice import CHOICE_FILE, read_choice
from edgeseg.stages.ship.ship import ModelCard, ship, train_command
from edgeseg.stages.train.run_folder import HISTORY, History

FOLDS = artifacts.shipped("calibration", "splits", "tcga-lgg-folds5.json")
EPOCHS = tuple(
    EpochRecord(epoch=n, step=10 * n, loss=1 / n, seconds=1.0, dice_mean=d, dice_median=d)
    for n, d in ((1, None), (2, 0.5), (3, 0.75))
)


@pytest.fixture
def header() -> CheckpointHeader:
    split = read_split(FOLDS)
    spec = VariantSpec(name="alphax", alpha=0.0625, stem="half")
    return CheckpointHeader(
        kind="weights",
        variant=spec,
        image=ImageSpec(),
        train=TrainSpec(variant=spec, epochs=3, seed=7, steps_per_epoch=10, precision="bfloat16"),
        data="kaggle-lgg",
        data_hash="0",
        train_patients=split.training(2),
        validation_patients=split.validation(2),
        epoch=3,
        backend="jax",
        versions={},
    )


@pytest.fixture
def run(tmp_path: Path, header: CheckpointHeader) -> Path:
    folder = tmp_path / "run"
    write_checkpoint(folder / "weights.safetensors", header, {"head/bias": np.zeros(1, np.float32)})
    artifacts.write_text(folder / HISTORY, to_json(History(epochs=EPOCHS)))
    return folder


@pytest.fixture
def build(run: Path, make_build: Callable[..., BuildResult]) -> BuildResult:
    sha256 = artifacts.sha256_file(run / "weights.safetensors")
    made = make_build(weights_sha256=sha256, data="kaggle-lgg")
    rows = tuple(
        replace(row, evaluation=replace(row.evaluation, seen_patients=0)) if row.evaluation else row
        for row in made.artifacts
    )
    return replace(made, artifacts=rows)


def test_a_shipped_folder_holds_weights_card_and_curve(run: Path, build: BuildResult, tmp_path: Path) -> None:
    folder = ship(run, build, into=tmp_path / "models")
    assert folder == tmp_path / "models" / "alphax-0.0625-half"
    assert read_checkpoint(folder / "weights.safetensors").header == read_checkpoint(run).header
    card = from_json(ModelCard, (folder / "card.json").read_bytes())
    assert card.weights_sha256 == artifacts.sha256_file(folder / "weights.safetensors")
    assert card.history == EPOCHS
    assert "Research use only" in card.intended_use
    picture = Image.open(io.BytesIO((folder / "learning-curve.png").read_bytes()))
    assert picture.width > picture.height > 200


def test_the_command_of_a_card_parses_to_the_same_spec(header: CheckpointHeader) -> None:
    from edgeseg.cli import main as cli

    command = train_command(header)
    assert command.endswith("--steps-per-epoch 10 --split calibration/splits/tcga-lgg-folds5.json --fold 2")
    import typer.main

    train = typer.main.get_command(cli.app).commands["train"]  # type: ignore[attr-defined]
    given = train.make_context("train", command.split()[2:]).params
    names = (
        "epochs",
        "seed",
        "schedule",
        "loss",
        "augment",
        "precision",
        "batch_size",
        "crop_px",
        "empty_share",
        "ema",
    )
    for name in names:
        assert given[name] == getattr(header.train, name), name
    assert (given["variant"], given["alpha"], given["stem"]) == ("alphax", 0.0625, "half")
    assert (given["learning_rate"], given["steps_per_epoch"], given["backend"]) == (2e-3, 10, "jax")


def test_weights_that_the_build_did_not_use_are_refused(run: Path, build: BuildResult, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="build again with --from"):
        ship(run, replace(build, weights_sha256="f" * 64), into=tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_scores_of_phantoms_or_seen_patients_are_refused(run: Path, build: BuildResult, tmp_path: Path) -> None:
    rows = tuple(
        replace(row, evaluation=replace(row.evaluation, seen_patients=1)) if row.evaluation else row
        for row in build.artifacts
    )
    for bad in (replace(build, data="phantom"), replace(build, artifacts=rows)):
        with pytest.raises(DataError, match="real patients that training did not see"):
            ship(run, bad, into=tmp_path / "models")


def test_a_run_without_its_curve_is_refused(run: Path, build: BuildResult, tmp_path: Path) -> None:
    (run / HISTORY).write_text("{")
    with pytest.raises(CheckpointError, match="ship a whole run folder"):
        ship(run, build, into=tmp_path / "models")


def test_a_choice_ships_beside_the_weights_and_goes_with_the_next_ones(
    run: Path, build: BuildResult, choice: Choice, tmp_path: Path
) -> None:
    path = artifacts.write_text(tmp_path / "folds" / CHOICE_FILE, to_json(choice))
    rows = tuple(
        replace(
            row,
            evaluation=row.evaluation
            and replace(
                row.evaluation, threshold=choice.chosen.threshold, post_processing=choice.chosen.post_processing
            ),
        )
        for row in build.artifacts
    )
    at_choice = replace(build, artifacts=rows)
    folder = ship(run, at_choice, into=tmp_path / "models", choice=path, public_ids=True)
    assert read_choice(folder / CHOICE_FILE, variant="alphax-0.0625-half") == choice
    card = from_json(ModelCard, (folder / "card.json").read_bytes())
    assert card.out_of_fold == choice.steps[0]
    assert card.evaluation.threshold == 0.3
    for bad, given in ((build, path), (at_choice, None)):
        with pytest.raises(OptionError, match="give --choice to both 'edgeseg build' and 'edgeseg ship'"):
            ship(run, bad, into=tmp_path / "models", choice=given)
    assert (folder / CHOICE_FILE).is_file()
    ship(run, build, into=tmp_path / "models")
    assert not (folder / CHOICE_FILE).exists()
    assert from_json(ModelCard, (folder / "card.json").read_bytes()).out_of_fold is None
