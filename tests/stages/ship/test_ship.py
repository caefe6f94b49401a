"""Shipping weights with a card."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg import artifacts, networks
from edgeseg.checkpoint import CheckpointHeader, read_checkpoint, write_checkpoint
from edgeseg.data.split import read_split
from edgeseg.errors import ArtifactError, CheckFailedError, CheckpointError, DataError, OptionError, OutputError
from edgeseg.jsonio import from_json, to_json
from edgeseg.results import BuildResult, Choice, ClassChoice, EpochRecord
from edgeseg.specs import ClassPoint, ImageSpec, OperatingPoint, PatientKey, TrainSpec, VariantSpec
from edgeseg.specs.foreign import ForeignRecord
from edgeseg.stages.choose.choice import CHOICE_FILE, read_choice
from edgeseg.stages.predict import checkpoint_contract
from edgeseg.stages.ship.card import ModelCard
from edgeseg.stages.ship.identity import Naming
from edgeseg.stages.ship.pseudonyms import hide_in_choice
from edgeseg.stages.ship.retrain import train_command
from edgeseg.stages.ship.ship import ship
from edgeseg.stages.ship.terms import Terms, terms_for
from edgeseg.stages.train.run_folder import HISTORY, History
from tests._classes import CLASSES, of_classes

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


def test_the_command_of_a_card_tells_the_shape(header: CheckpointHeader) -> None:
    spec = VariantSpec(alpha=1.0, levels=(8, 16, 32, 64, 96), convolutions=(1, 1, 1, 1, 2))
    command = train_command(replace(header, variant=spec, train=replace(header.train, variant=spec)))
    assert "--alpha 1 --stem half --profile double --levels 8,16,32,64,96 --convolutions 1,1,1,1,2 --epochs" in command


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


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside every checkout, and the user's folder for data, which is empty."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "data-home" / "edgeseg"


def test_outside_a_checkout_it_goes_where_every_command_looks(run: Path, build: BuildResult, at_home: Path) -> None:
    folder = ship(run, build, naming=Naming(name="mine", purpose="a test"))
    assert folder == at_home / "models" / "mine"
    network = networks.get("mine")
    assert network.own
    assert network.record.purpose == "a test"
    assert network.record.weights_sha256 == artifacts.sha256_file(network.weights)
    assert networks.get("light").own is False
    assert list(Path.cwd().iterdir()) == []


def test_in_the_checkout_it_goes_into_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(artifacts.__file__).resolve().parents[1]
    monkeypatch.chdir(root / "edgeseg")
    assert artifacts.own_home() == root


def test_a_taken_name_is_refused_unless_the_place_is_taken_on_purpose(
    run: Path, build: BuildResult, header: CheckpointHeader, at_home: Path
) -> None:
    for name, told in (("light", "taken by the network in"), ("unet", "means something else"), ("A", "small letters")):
        with pytest.raises(OptionError, match=told):
            ship(run, build, naming=Naming(name=name))
    assert not at_home.exists()
    first = ship(run, build, naming=Naming(name="mine", purpose="a test"))
    assert ship(run, build, naming=Naming(name="mine")) == first
    write_checkpoint(run / "weights.safetensors", replace(header, epoch=9), {"head/bias": np.ones(1, np.float32)})
    newer = replace(build, weights_sha256=artifacts.sha256_file(run / "weights.safetensors"))
    with pytest.raises(OptionError, match="or put these weights in its place with --replace"):
        ship(run, newer, naming=Naming(name="mine"))
    with pytest.raises(OptionError, match="taken by the network in"):
        ship(run, newer, naming=Naming(name="light", in_place=True))
    assert ship(run, newer, naming=Naming(name="mine", in_place=True)) == first
    assert networks.get("mine").record.purpose == "a test"


def test_a_slug_that_a_network_has_is_no_name_for_another(
    run: Path, build: BuildResult, header: CheckpointHeader, at_home: Path
) -> None:
    shape = VariantSpec()
    given = replace(header, variant=shape, train=replace(header.train, variant=shape))
    write_checkpoint(run / "weights.safetensors", given, {"head/bias": np.zeros(1, np.float32)})
    made = replace(build, weights_sha256=artifacts.sha256_file(run / "weights.safetensors"))
    with pytest.raises(OptionError, match=r"'alphax-0.125-half' is the slug of the network 'light' too"):
        ship(run, made)
    write_checkpoint(run / "weights.safetensors", replace(given, name="mine"), {"head/bias": np.zeros(1, np.float32)})
    named = replace(build, weights_sha256=artifacts.sha256_file(run / "weights.safetensors"))
    assert ship(run, named).name == "mine"


def test_a_build_that_failed_a_check_ships_only_when_told(run: Path, build: BuildResult, at_home: Path) -> None:
    rows = tuple(
        replace(row, status="FAILED: convert: no") if row.target != "keras-fp32" else row for row in build.artifacts
    )
    failed = replace(build, artifacts=rows)
    with pytest.raises(CheckFailedError, match=r"the build failed \d of its checks: .* --allow-failed"):
        ship(run, failed, naming=Naming(name="mine"))
    assert not at_home.exists()
    ship(run, failed, naming=Naming(name="mine"), allow_failed=True)
    assert len(networks.get("mine").record.failed) == len(rows) - 1


def test_a_disk_that_fails_half_way_leaves_the_network_before(
    run: Path, build: BuildResult, header: CheckpointHeader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ship(run, build, into=tmp_path / "models", naming=Naming(name="mine"))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_checkpoint(run / "weights.safetensors", replace(header, epoch=9), {"head/bias": np.ones(1, np.float32)})
    newer = replace(build, weights_sha256=artifacts.sha256_file(run / "weights.safetensors"))
    write = artifacts.write_bytes

    def fail(path: Path, data: bytes) -> Path:
        if path.name == "card.json":
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(artifacts, "write_bytes", fail)
    with pytest.raises(OutputError, match="No space left"):
        ship(run, newer, into=tmp_path / "models", naming=Naming(name="mine", in_place=True))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_that_stands_where_a_file_belongs_leaves_nothing_half_written(
    run: Path, build: BuildResult, tmp_path: Path
) -> None:
    (tmp_path / "models" / "mine" / "card.json").mkdir(parents=True)
    with pytest.raises(OutputError, match="a folder of that name is there"):
        ship(run, build, into=tmp_path / "models", naming=Naming(name="mine"))
    assert [path.name for path in (tmp_path / "models" / "mine").iterdir()] == ["card.json"]


def test_a_name_that_is_a_link_is_not_written_through(run: Path, build: BuildResult, tmp_path: Path) -> None:
    there = sorted(path.name for path in run.iterdir())
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine").symlink_to(run)
    with pytest.raises(OutputError, match="it is a link to another place"):
        ship(run, build, into=tmp_path / "models", naming=Naming(name="mine"))
    assert sorted(path.name for path in run.iterdir()) == there


def test_the_folder_of_a_network_that_cannot_be_read_is_taken_only_when_told(
    run: Path, build: BuildResult, at_home: Path
) -> None:
    record = artifacts.write_text(at_home / "models" / "mine" / "network.json", "[]")
    with pytest.raises(OptionError, match="put these weights in its place with --replace"):
        ship(run, build, naming=Naming(name="mine"))
    assert record.read_text() == "[]"
    ship(run, build, naming=Naming(name="mine", in_place=True))
    assert networks.get("mine").has_weights


@pytest.mark.parametrize("text", ["two\nlines", "red\x1b[31m", "\u202eturned"], ids=["lines", "escape", "turned"])
def test_what_is_said_of_a_network_is_one_line_that_can_be_seen(text: str) -> None:
    for make in (
        lambda: Naming(purpose=text),
        lambda: Terms(licence=text),
        lambda: Terms(attribution=text),
    ):
        with pytest.raises(OptionError, match="one line of characters that can be seen"):
            make()


def test_a_build_on_phantoms_ships_only_when_told(run: Path, build: BuildResult, at_home: Path) -> None:
    rows = tuple(
        replace(row, evaluation=replace(row.evaluation, data="phantom")) if row.evaluation else row
        for row in build.artifacts
    )
    rehearsal = replace(build, data="phantom", artifacts=rows)
    with pytest.raises(DataError, match="--allow-phantoms"):
        ship(run, rehearsal, naming=Naming(name="mine"))
    ship(run, rehearsal, naming=Naming(name="mine"), allow_phantoms=True)
    assert networks.get("mine").record.rests_on_phantoms


def test_the_files_of_the_build_go_along_and_altered_ones_do_not(
    run: Path, build: BuildResult, at_home: Path, tmp_path: Path
) -> None:
    (tmp_path / "build").mkdir()
    content = b"a file of onnx-int8"
    (tmp_path / "build" / "onnx-int8.onnx").write_bytes(content)
    row = replace(
        build.artifacts[0],
        artifact="onnx-int8",
        target="onnx-int8",
        path="onnx-int8.onnx",
        sha256=artifacts.sha256_bytes(content),
        size_bytes=len(content),
    )
    made = replace(build, artifacts=(build.artifacts[0], row))
    ship(run, made, naming=Naming(name="mine"), files_from=tmp_path / "build")
    assert networks.get("mine").file().read_bytes() == content
    ship(run, made, naming=Naming(name="mine"))
    assert networks.get("mine").files() is None
    (tmp_path / "build" / "onnx-int8.onnx").write_bytes(b"x")
    with pytest.raises(ArtifactError, match="missing or was altered since the build"):
        ship(run, made, naming=Naming(name="other"), files_from=tmp_path / "build")


def test_scores_out_of_fold_are_those_of_the_same_shape(
    run: Path, build: BuildResult, at_home: Path, tmp_path: Path
) -> None:
    scores = Path(__file__).resolve().parents[3] / "benchmarks" / "out-of-fold.json"
    with pytest.raises(OptionError, match=r"is of 'alphax-0.125-half', and these weights are of 'alphax-0.0625-half'"):
        ship(run, build, naming=Naming(name="mine", out_of_fold=scores))
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ArtifactError, match="not scores out of fold"):
        ship(run, build, naming=Naming(name="mine", out_of_fold=tmp_path / "bad.json"))
    assert not at_home.exists()


@pytest.fixture
def several(header: CheckpointHeader, run: Path, build: BuildResult) -> BuildResult:
    """The build of a run that draws two masks, of a hospital's own data."""
    image = ImageSpec(classes=CLASSES)
    made = replace(header, image=image, data="our-scans")
    write_checkpoint(run / "weights.safetensors", made, {"head/bias": np.zeros(2, np.float32)})
    rows = tuple(of_classes(row, *CLASSES) if row.evaluation else row for row in build.artifacts)
    return replace(
        build, weights_sha256=artifacts.sha256_file(run / "weights.safetensors"), data="our-scans", artifacts=rows
    )


def test_each_class_ships_with_its_scores_and_with_the_terms_of_its_data(
    run: Path, several: BuildResult, at_home: Path
) -> None:
    folder = ship(run, several, naming=Naming(name="mine"))
    record = networks.get("mine").record
    assert [one.name for one in record.held_out.classes] == list(CLASSES)
    assert record.image.classes == CLASSES
    card = from_json(ModelCard, (folder / "card.json").read_bytes())
    assert (card.licence, "our-scans" in card.attribution, "TCGA" in card.attribution) == (None, True, False)
    assert "--labels whole=LABELS,core=LABELS" in card.command
    ship(run, several, naming=Naming(name="mine"), terms=Terms(licence="CC0-1.0", attribution="our hospital"))
    card = from_json(ModelCard, (folder / "card.json").read_bytes())
    assert (card.licence, card.attribution) == ("CC0-1.0", "our hospital")


def test_what_lgg_made_is_named_wherever_it_went(header: CheckpointHeader) -> None:
    assert terms_for(header, Terms()).licence == "CC BY-NC-SA 4.0"
    tuned = replace(header, data="our-scans", initial=header)
    found = terms_for(tuned, Terms())
    assert found.licence == ""
    assert "TCGA-LGG" in found.attribution
    assert "our-scans" in found.attribution
    phantoms = terms_for(replace(header, data="phantom"), Terms())
    assert "TCGA" not in phantoms.attribution


def test_the_point_of_every_class_has_to_be_that_of_the_build(
    run: Path, several: BuildResult, choice: Choice, at_home: Path, tmp_path: Path
) -> None:
    points = (ClassPoint(name="whole"), ClassPoint(name="core", threshold=0.3))
    patients = dict.fromkeys(choice.patients, 0.5)
    steps = tuple(replace(step, dice_by_patient=patients) for step in choice.steps)
    made = replace(
        choice,
        chosen=OperatingPoint(classes=points),
        classes=tuple(ClassChoice(name=name, steps=steps) for name in CLASSES),
        groups=(replace(choice.groups[0], patients=("Jane Doe",)),),
    )
    path = artifacts.write_text(tmp_path / "choice.json", to_json(made))
    with pytest.raises(OptionError, match=r"core: threshold 0.5 .*, and what ships is .*core: threshold 0.3"):
        ship(run, several, naming=Naming(name="mine"), choice=path)


def test_no_step_of_a_class_names_a_patient(choice: Choice) -> None:
    steps = tuple(replace(step, dice_by_patient={"Jane Doe": 0.5}, chosen=()) for step in choice.steps)
    made = replace(choice, steps=steps, classes=(ClassChoice(name="core", steps=steps),))
    hidden = hide_in_choice(made, PatientKey(secret=b"0" * 32))
    assert "Jane Doe" not in to_json(hidden)


def test_a_run_without_its_learning_curve_is_refused_with_what_to_do(
    run: Path, build: BuildResult, tmp_path: Path
) -> None:
    (run / HISTORY).unlink()
    with pytest.raises(CheckpointError, match=r"history.json cannot be read .* or ship a whole run folder"):
        ship(run, build, into=tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_an_imported_network_ships_with_the_file_that_it_came_as(
    run: Path, build: BuildResult, header: CheckpointHeader, tmp_path: Path
) -> None:
    record = ForeignRecord(
        kind="a Keras model",
        file="mine.keras",
        sha256="0" * 64,
        size_bytes=3,
        framework="",
        output="head",
        channels=1,
        head="logits",
        foreground=(0,),
        contract=checkpoint_contract(header),
        architecture="{}",
    )
    weights = run / "weights.safetensors"
    write_checkpoint(weights, replace(header, foreign=record), {"head/bias": np.zeros(1, np.float32)})
    (run / HISTORY).unlink()
    (run / "source").mkdir()
    (run / "source" / "mine.keras").write_bytes(b"abc")
    made = replace(build, weights_sha256=artifacts.sha256_file(weights))
    folder = ship(run, made, into=tmp_path / "models", terms=Terms(licence="MIT", attribution="me"))
    assert (folder / "source" / "mine.keras").read_bytes() == b"abc"
    assert not (folder / "learning-curve.png").exists()
    card = from_json(ModelCard, (folder / "card.json").read_bytes())
    assert card.history == ()
    assert card.command == "edgeseg import mine.keras --name alphax"
    assert ship(folder, made, into=tmp_path / "models") == folder
    assert (folder / "source" / "mine.keras").read_bytes() == b"abc"
    (folder / "source" / "old.bin").write_bytes(b"of another file")
    ship(run, made, into=tmp_path / "models")
    assert [path.name for path in (folder / "source").iterdir()] == ["mine.keras"]
    shutil.rmtree(run / "source")
    with pytest.raises(ArtifactError, match="give the whole run folder"):
        ship(run, made, into=tmp_path / "others")
    assert not (tmp_path / "others").exists()
