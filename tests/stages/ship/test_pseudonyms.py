"""What ships of a site's own patients: nothing that names them, and nothing that can be tried until it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg import artifacts
from edgeseg.checkpoint import CheckpointHeader, read_checkpoint, write_checkpoint
from edgeseg.errors import DataError, OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.place import key_for
from edgeseg.results import BuildResult, Choice, ChoiceGroup, EpochRecord
from edgeseg.specs import ImageSpec, TrainSpec, VariantSpec, is_pseudonym, patient_digest, seen_entries
from edgeseg.stages.calibrate import RecordedRanges
from edgeseg.stages.choose import CHOICE_FILE, caveat, read_choice
from edgeseg.stages.predict import checkpoint_contract, name_patients
from edgeseg.stages.ship.card import ModelCard
from edgeseg.stages.ship.ship import ship
from edgeseg.stages.train.run_folder import HISTORY, History
from edgeseg.targets.ranges import ActivationRanges, LayerRange

TRAINED, HELD_OUT = ("4711042", "Mueller_Anna_1970", "G-0815"), ("9900001", "9900002")
EARLIER = ("4711042", "5550123")
SECRETS = (*TRAINED, *HELD_OUT, *EARLIER, "Anna", "Mueller")


@pytest.fixture
def header() -> CheckpointHeader:
    spec = VariantSpec(name="alphax", alpha=0.0625, stem="half")
    last = CheckpointHeader(
        kind="weights",
        variant=spec,
        image=ImageSpec(),
        train=TrainSpec(variant=spec, epochs=3),
        data="clinic",
        data_hash="0",
        train_patients=TRAINED,
        validation_patients=HELD_OUT,
        epoch=3,
        backend="jax",
        versions={},
    )
    earlier = replace(last, train_patients=EARLIER, validation_patients=HELD_OUT[:1])
    return replace(last, initial=earlier, parts=(replace(earlier, initial=earlier), last))


@pytest.fixture
def run(tmp_path: Path, header: CheckpointHeader) -> Path:
    folder = tmp_path / "run"
    write_checkpoint(folder / "weights.safetensors", header, {"head/bias": np.arange(3, dtype=np.float32)})
    epoch = EpochRecord(epoch=1, step=1, loss=1.0, seconds=1.0, dice_mean=0.5, dice_median=0.5)
    artifacts.write_text(folder / HISTORY, to_json(History(epochs=(epoch,))))
    ranges = RecordedRanges(
        variant=header.variant.slug,
        weights_sha256=artifacts.sha256_file(folder / "weights.safetensors"),
        data="clinic",
        calibration_sha256="0" * 64,
        slices=1,
        patients=tuple(sorted(map(patient_digest, TRAINED))),  # as an earlier version wrote them
        activations=ActivationRanges(method="learned", layers=(LayerRange(layer="a", low=0.0, high=1.0),)),
    )
    artifacts.write_text(folder / "ranges.json", to_json(ranges))
    return folder


@pytest.fixture
def made(choice: Choice) -> Choice:
    groups = tuple(ChoiceGroup(run="light", weights_sha256="0", patients=(patient,)) for patient in reversed(HELD_OUT))
    steps = tuple(replace(step, dice_by_patient=dict(zip(HELD_OUT, (0.5, 0.75), strict=True))) for step in choice.steps)
    return replace(choice, groups=groups, steps=steps)


@pytest.fixture
def build(run: Path, made: Choice, make_build: Callable[..., BuildResult]) -> BuildResult:
    sha256 = artifacts.sha256_file(run / "weights.safetensors")
    base = make_build(weights_sha256=sha256, data="clinic")
    point = made.chosen

    def scored(row: object) -> object:
        found = row.evaluation  # type: ignore[attr-defined]
        if found is None:
            return row
        scores = tuple(
            replace(score, patient=patient, institution="Anna")
            for score, patient in zip(found.patients, HELD_OUT * 9, strict=False)
        )[:2]
        found = replace(
            found,
            patients=scores,
            institutions=(replace(found.institutions[0], institution="Anna"),),
            seen_patients=0,
            threshold=point.threshold,
            post_processing=point.post_processing,
        )
        return replace(row, evaluation=found)  # type: ignore[type-var]

    return replace(base, artifacts=tuple(map(scored, base.artifacts)))  # type: ignore[arg-type]


@pytest.fixture
def choice_file(tmp_path: Path, made: Choice) -> Path:
    return artifacts.write_text(tmp_path / "folds" / CHOICE_FILE, to_json(made))


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    yield from ((path.name, path.read_bytes()) for path in folder.rglob("*") if path.is_file())


def test_no_id_and_no_plain_digest_of_one_is_in_any_file(
    run: Path, build: BuildResult, choice_file: Path, tmp_path: Path
) -> None:
    folder = ship(run, build, into=tmp_path / "models", choice=choice_file)
    files = dict(everything(folder))
    assert {"weights.safetensors", "card.json", "choice.json", "ranges.json"} <= files.keys()
    for name, content in files.items():
        for secret in SECRETS:
            assert secret.encode() not in content, (name, secret)
            assert patient_digest(secret).encode() not in content, (name, secret)


def test_the_shipped_weights_are_the_runs_under_a_name_of_their_own(
    run: Path, build: BuildResult, choice_file: Path, tmp_path: Path
) -> None:
    folder = ship(run, build, into=tmp_path / "models", choice=choice_file)
    shipped, original = read_checkpoint(folder), read_checkpoint(run)
    assert shipped.arrays.keys() == original.arrays.keys()
    assert all(np.array_equal(shipped.arrays[name], array) for name, array in original.arrays.items())
    sha256 = artifacts.sha256_file(folder / "weights.safetensors")
    card = from_json(ModelCard, (folder / "card.json").read_bytes())
    ranges = from_json(RecordedRanges, (folder / "ranges.json").read_bytes())
    assert card.weights_sha256 == ranges.weights_sha256 == sha256 != build.weights_sha256
    assert shipped.header.initial is not None
    assert shipped.header.parts
    assert card.header == replace(shipped.header, initial=None, parts=())
    assert ranges.patients == seen_entries(TRAINED, key=key_for(TRAINED))
    assert all(map(is_pseudonym, (*shipped.header.train_patients, *shipped.header.validation_patients)))


def test_lists_do_not_keep_the_order_of_ids(run: Path, build: BuildResult, choice_file: Path, tmp_path: Path) -> None:
    folder = ship(run, build, into=tmp_path / "models", choice=choice_file)
    header = read_checkpoint(folder).header
    assert list(header.train_patients) == sorted(header.train_patients)
    choice = read_choice(folder / CHOICE_FILE, variant=header.variant.slug)
    assert list(choice.patients) == sorted(choice.patients)
    assert list(choice.steps[0].dice_by_patient) == sorted(choice.steps[0].dice_by_patient)


def test_where_the_key_is_they_are_known_again(
    run: Path, build: BuildResult, choice_file: Path, tmp_path: Path
) -> None:
    folder = ship(run, build, into=tmp_path / "models", choice=choice_file)
    shipped = read_checkpoint(folder)
    told = name_patients(shipped, (*TRAINED, *HELD_OUT, "1")).header
    assert sorted(told.train_patients) == sorted(TRAINED)
    assert sorted(told.validation_patients) == sorted(HELD_OUT)
    own = checkpoint_contract(read_checkpoint(run).header).seen_patients
    assert checkpoint_contract(shipped.header).seen_patients == own
    choice = read_choice(folder / CHOICE_FILE, variant=shipped.header.variant.slug)
    assert "chosen on 1 of these 2" in (caveat(choice, (HELD_OUT[0], "1")) or "")


def test_where_the_key_is_not_it_says_so(
    run: Path,
    build: BuildResult,
    choice_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = ship(run, build, into=tmp_path / "models", choice=choice_file)
    monkeypatch.setenv("EDGESEG_PATIENT_KEY", str(tmp_path / "gone"))
    shipped = read_checkpoint(folder)
    assert name_patients(shipped, TRAINED).header == shipped.header
    assert "cannot tell whether" in caplog.text
    choice = read_choice(folder / CHOICE_FILE, variant=shipped.header.variant.slug)
    assert "CANNOT TELL" in (caveat(choice, HELD_OUT) or "")
    assert not (tmp_path / "gone").exists()


def test_ids_that_are_public_ship_as_they_are(
    run: Path, build: BuildResult, choice_file: Path, made: Choice, tmp_path: Path
) -> None:
    folder = ship(run, build, into=tmp_path / "models", choice=choice_file, public_ids=True)
    assert (folder / "weights.safetensors").read_bytes() == (run / "weights.safetensors").read_bytes()
    assert read_choice(folder / CHOICE_FILE, variant=made.variant) == made


def test_a_key_inside_what_ships_is_refused(
    run: Path, build: BuildResult, choice_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGESEG_PATIENT_KEY", str(tmp_path / "models" / "sub" / "key"))
    with pytest.raises(OptionError, match="EDGESEG_PATIENT_KEY"):
        ship(run, build, into=tmp_path / "models", choice=choice_file)
    assert not list((tmp_path / "models").rglob("weights*"))


def test_scores_of_which_nobody_can_tell_are_no_card(
    run: Path, build: BuildResult, choice_file: Path, tmp_path: Path
) -> None:
    rows = tuple(
        replace(row, evaluation=row.evaluation and replace(row.evaluation, seen_unknown=1)) for row in build.artifacts
    )
    with pytest.raises(DataError, match="did not see"):
        ship(run, replace(build, artifacts=rows), into=tmp_path / "models", choice=choice_file)
