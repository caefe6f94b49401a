"""The whole stage on drawn folds: what it writes, whom it scores, and what it refuses."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.checkpoint import Checkpoint, CheckpointHeader
from edgeseg.errors import CheckpointError, DatasetError, OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.reports.trust import trust_markdown
from edgeseg.results import TrustResult
from edgeseg.specs import KEY_BYTES, ImageSpec, PatientKey, TrainSpec, VariantSpec
from edgeseg.stages.folds.logits import FoldRun
from edgeseg.stages.predict import checkpoint_contract
from edgeseg.stages.ship.pseudonyms import hide_in_trust
from edgeseg.stages.trust import TRUST_FILE, TrustInputs, read_trust, trust, trust_for, trusted

outputs = importlib.import_module("edgeseg.stages.trust.outputs")

VARIANT = VariantSpec(name="alphax", alpha=0.0625, stem="half")
PATIENTS = tuple(f"P{n}" for n in range(12))
SIDE = 32


class Heads:
    """Stands for a slice cache: 4 slices a patient, a disc of tumour on slices 1 and 2."""

    name = "toy"
    patients = PATIENTS

    def volume(self, patient: str) -> Any:
        rows, columns = np.mgrid[0:SIDE, 0:SIDE]
        disc = np.hypot(rows - 15, columns - 15) < 8
        reference = np.stack([disc & (number in (1, 2)) for number in range(4)])
        return type("Volume", (), {"patient": patient, "classes": (), "reference": reference})


def logits_of(patient: str) -> NDArray[np.float32]:
    """A disc that is the more out of place and the more blurred the greater the patient's number."""
    number = int(patient[1:])
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    distance = np.hypot(rows - 15, columns - 15 - number / 2)
    disc = (8 - distance) * 4.0 / (1 + number)
    return np.stack([np.full_like(disc, -8.0), disc, disc, np.full_like(disc, -8.0)]).astype(np.float32)


@pytest.fixture(autouse=True)
def drawn_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three folds of four patients; `two` of six; `one` of all; `other` of another kind; `empty` draws nothing."""
    header = CheckpointHeader(
        kind="weights", variant=VARIANT, image=ImageSpec(height=SIDE, width=SIDE), train=TrainSpec(variant=VARIANT),
        data="toy", data_hash="0", train_patients=("T",), validation_patients=(), epoch=120, backend="tensorflow",
        versions={},
    )  # fmt: skip

    def run(folder: Path, held_out: tuple[str, ...]) -> FoldRun:
        kind = replace(VARIANT, alpha=0.125) if folder.name == "other" else VARIANT
        own = replace(header, validation_patients=held_out, variant=kind)
        checkpoint = Checkpoint(header=own, arrays={}, path=folder / "weights.safetensors")
        return FoldRun(folder, checkpoint, f"sha of {folder.name}")

    def find(out: Path) -> tuple[FoldRun, ...]:
        if out.name == "two":
            return tuple(run(out / f"fold{n}", PATIENTS[n::2]) for n in range(2))
        if out.name == "folds":
            return tuple(run(out / f"fold{n}", PATIENTS[n::3]) for n in range(3))
        return (run(out, PATIENTS[:1] if out.name == "single" else PATIENTS),)

    def held_out(one: FoldRun, cache: Heads, *, flips: str) -> Iterator[tuple[str, Any]]:
        for patient in one.patients:
            drawn = logits_of(patient)
            yield patient, np.minimum(drawn, -1.0) if one.checkpoint.path.parent.name == "empty" else drawn

    monkeypatch.setattr(outputs, "find_runs", find)
    monkeypatch.setattr(outputs, "check_data", lambda runs, cache: None)
    monkeypatch.setattr(outputs, "held_out_logits", held_out)


def found(place: Path, **options: Any) -> TrustResult:
    place.mkdir(exist_ok=True)
    return trust(TrustInputs(network=place, **options), Heads())  # type: ignore[arg-type]


def test_folds_are_judged_by_what_the_others_say(tmp_path: Path) -> None:
    made = found(tmp_path / "folds")
    assert from_json(TrustResult, (tmp_path / "folds" / TRUST_FILE).read_text()) == made
    assert (made.left_out, made.weights_sha256, made.numbers[0].patients) == ("fold", "sha of fold0", 12)
    assert sorted(row.patient for row in made.patients) == sorted(PATIENTS)
    assert {row.group for row in made.patients} == {0, 1, 2}
    assert made.figures.spearman is not None
    assert made.figures.spearman > 0.8
    assert made.figures.poor == sum(row.dice < 0.7 for row in made.patients) > 0
    assert made.figures.deferral[0].dice_mean == pytest.approx(made.figures.dice_mean)
    assert made.own is not None
    assert [row.patient for row in made.own_patients] == list(PATIENTS[0::3])


def test_one_run_is_judged_patient_by_patient(tmp_path: Path) -> None:
    made = found(tmp_path / "one")
    assert (made.left_out, made.own, made.own_patients) == ("patient", None, ())
    assert [group.patients for group in made.groups] == [(patient,) for patient in PATIENTS]


def test_a_network_of_another_kind_takes_the_numbers_of_folds(tmp_path: Path) -> None:
    made = found(tmp_path / "other", folds=(tmp_path / "folds",))
    assert (made.variant, made.numbers[0].network) == ("alphax-0.125-half", VARIANT.slug)
    assert made.weights_sha256 == "sha of other"
    assert made.own is not None
    assert made.own.patients == 12


def test_what_does_not_belong_together(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"held out by .*fold0 and by .*one; each patient counts once"):
        found(tmp_path / "folds", folds=(tmp_path / "folds", tmp_path / "one"))
    with pytest.raises(CheckpointError, match="one kind of network is meant"):
        found(tmp_path / "folds", folds=(tmp_path / "one", tmp_path / "other"))
    with pytest.raises(DatasetError, match=r"fewer than two patients were held out in all \(1\).* with --folds"):
        found(tmp_path / "single")
    with pytest.raises(DatasetError, match=r"12 held-out patients are of 2 group\(s\).* at least 3 are needed"):
        found(tmp_path / "two")
    with pytest.raises(DatasetError, match="nothing can be fitted"):
        found(tmp_path / "empty")
    assert not (tmp_path / "empty" / TRUST_FILE).exists()


def test_a_contract_takes_what_was_made_for_its_weights_and_threshold(tmp_path: Path) -> None:
    made = found(tmp_path / "one")
    contract = checkpoint_contract(outputs.find_runs(tmp_path / "one")[0].checkpoint.header, public_ids=True)
    told = trusted(tmp_path / "one", contract, weights_sha256="sha of one")
    assert told.output_trusts == made.numbers
    assert trusted(tmp_path, contract, weights_sha256="any") is contract
    assert trust_for(tmp_path, weights_sha256="any") is None
    with pytest.raises(OptionError, match="made for other weights"):
        trust_for(tmp_path / "one", weights_sha256="another")
    with pytest.raises(OptionError, match=r"at threshold 0\.5, passes 1, and the network is given 0\.6"):
        trusted(tmp_path / "one", replace(contract, threshold=0.6), weights_sha256="sha of one")
    with pytest.raises(OptionError, match=r"passes 1, and the network is given 0\.5, passes 2"):
        trusted(tmp_path / "one", replace(contract, passes=2), weights_sha256="sha of one")


def test_numbers_for_other_channels_are_told_with_their_file(tmp_path: Path) -> None:
    shipped = read_trust(Path(__file__).parents[3] / "models" / "light")
    file = tmp_path / "one" / TRUST_FILE
    made = replace(found(file.parent), inputs=shipped.inputs)
    file.write_text(to_json(made))
    contract = checkpoint_contract(outputs.find_runs(file.parent)[0].checkpoint.header, public_ids=True)
    with pytest.raises(OptionError, match=r"trust\.json: trust\.input uses feature .* make it again with"):
        trusted(file.parent, replace(contract, channels=("flair",)), weights_sha256="sha of one")


@pytest.mark.parametrize("content", ["", "{}", '{"schema_version": 1}'])
def test_a_file_that_is_not_what_the_command_writes(tmp_path: Path, content: str) -> None:
    (tmp_path / TRUST_FILE).write_text(content)
    with pytest.raises(OptionError, match="make one with 'edgeseg trust'"):
        read_trust(tmp_path)
    with pytest.raises(OptionError, match="cannot be read"):
        read_trust(tmp_path / "absent")


def test_what_ships_names_nobody(tmp_path: Path) -> None:
    made = found(tmp_path / "folds")
    hidden = hide_in_trust(made, PatientKey(secret=b"k" * KEY_BYTES), "sha of another file")
    text = to_json(hidden)
    assert [patient for patient in PATIENTS if f'"{patient}"' in text] == []
    assert hidden.weights_sha256 == "sha of another file"
    assert sorted(row.dice for row in hidden.patients) == sorted(row.dice for row in made.patients)
    assert len(hidden.everybody) == len(PATIENTS)


def test_the_tables_begin_with_the_answer(tmp_path: Path) -> None:
    made = found(tmp_path / "folds")
    text = trust_markdown(made)
    assert text.startswith(f"{VARIANT.slug}: of 12 patients of toy, {made.figures.poor} have a Dice below 0.7; ")
    assert "Each fold is scored by numbers that were fitted on the others." in text
    assert f"| true volume in its interval | {made.figures.volume_covered}/12 " in text
    for title in ("Does the network know?", "Mean Dice of what is kept", "The patients with the least Dice"):
        assert f"## {title}" in text
