"""Networks of several masks, and imported ones: what is fitted for each mask, and what that tells of a patient."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.artifacts import sha256_bytes
from edgeseg.checkpoint import Checkpoint, CheckpointHeader
from edgeseg.errors import DatasetError, OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.reports.trust import trust_markdown
from edgeseg.results import TrustResult
from edgeseg.specs import KEY_BYTES, Contract, ImageSpec, OperatingPoint, PatientKey, TrainSpec, VariantSpec
from edgeseg.specs.foreign import ForeignRecord
from edgeseg.stages.folds.logits import FoldRun
from edgeseg.stages.predict import checkpoint_contract
from edgeseg.stages.ship.point import trust_to_ship
from edgeseg.stages.ship.pseudonyms import hide_in_trust
from edgeseg.stages.trust import TRUST_FILE, TrustInputs, left_out, trust, trust_for, trusted, with_trust

outputs = importlib.import_module("edgeseg.stages.trust.outputs")

WHOLE, CORE, RARE = "whole", "core", "rare"
NAMES = (WHOLE, CORE, RARE)
VARIANT = VariantSpec(name="alphax", alpha=0.0625, stem="half")
PATIENTS = tuple(f"P{n}" for n in range(12))
SIDE, SLICES = 32, 4


def disc(x: float, radius: float) -> NDArray[np.float64]:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    return np.asarray(radius - np.hypot(rows - 15, columns - x))


def has_core(number: int) -> bool:
    """Every fourth patient has none."""
    return number % 4 != 3


class Heads:
    """Stands for a slice cache: a disc on slices 1 and 2, within it a smaller one, and of the third class nothing."""

    name = "toy"
    patients = PATIENTS

    def volume(self, patient: str) -> Any:
        number = int(patient[1:])
        planes = [disc(15, 8) > 0, (disc(15, 4) > 0) & has_core(number), np.zeros((SIDE, SIDE), np.bool_)]
        whole = np.stack(planes, axis=-1)
        reference = np.stack([whole & (place in (1, 2)) for place in range(SLICES)])
        told = {"patient": patient, "classes": NAMES, "reference": reference, "channels": ("pre", "flair", "post")}
        return type("Volume", (), told | {"images": np.zeros((SLICES, SIDE, SIDE, 3), np.uint8), "masks": None})


def logits_of(patient: str) -> NDArray[np.float32]:
    """Discs that are the more out of place and the more blurred the greater the patient's number."""
    number = int(patient[1:])
    off = 15 + number / 2
    planes = [disc(off, 8) * 4.0 / (1 + number), disc(off, 4) * 4.0 / (1 + number), np.full((SIDE, SIDE), -8.0)]
    if not has_core(number):
        planes[1] = planes[2]
    drawn, nothing = np.stack(planes, axis=-1), np.full((SIDE, SIDE, 3), -8.0)
    return np.stack([nothing, drawn, drawn, nothing]).astype(np.float32)


HEADER = CheckpointHeader(
    kind="weights", variant=VARIANT, image=ImageSpec(height=SIDE, width=SIDE, classes=NAMES),
    train=TrainSpec(variant=VARIANT), data="toy", data_hash="0", train_patients=("T",), validation_patients=(),
    epoch=120, backend="tensorflow", versions={},
)  # fmt: skip


@pytest.fixture(autouse=True)
def drawn_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three folds of four patients; `one` of all; `imported` and `pointed` that held out nobody."""

    def run(folder: Path, held_out: tuple[str, ...]) -> FoldRun:
        own = replace(HEADER, validation_patients=held_out)
        if folder.name in ("imported", "pointed"):
            own = replace(own, train_patients=(), foreign=foreign(pointed() if folder.name == "pointed" else None))
        return FoldRun(folder, Checkpoint(header=own, arrays={}, path=folder / "weights.safetensors"), "sha")

    def find(out: Path) -> tuple[FoldRun, ...]:
        if out.name == "folds":
            return tuple(replace_sha(run(out / f"fold{n}", PATIENTS[n::3]), f"sha {n}") for n in range(3))
        return (run(out, PATIENTS if out.name == "one" else ()),)

    def held_out(one: FoldRun, cache: Heads, *, flips: str) -> Iterator[tuple[str, Any]]:
        for patient in one.patients:
            yield patient, logits_of(patient)

    monkeypatch.setattr(outputs, "find_runs", find)
    monkeypatch.setattr(outputs, "check_data", lambda runs, cache: None)
    monkeypatch.setattr(outputs, "held_out_logits", held_out)


def replace_sha(run: FoldRun, sha256: str) -> FoldRun:
    return replace(run, sha256=sha256)


def pointed() -> Contract:
    """What an imported network says that draws at another point."""
    contract = contract_of(HEADER)
    regions = tuple(replace(region, threshold=0.6) for region in contract.regions)
    return replace(contract, regions=regions, passes=2)


def foreign(contract: Contract | None) -> ForeignRecord:
    return ForeignRecord(
        kind="an ONNX graph", file="mine.onnx", size_bytes=1, sha256="0" * 64, framework="", output="y", channels=3,
        head="logits", foreground=(), contract=contract or contract_of(HEADER),
    )  # fmt: skip


def contract_of(header: CheckpointHeader) -> Contract:
    return checkpoint_contract(header, public_ids=True)


def found(place: Path, **options: Any) -> TrustResult:
    place.mkdir(exist_ok=True)
    return trust(TrustInputs(network=place, **options), Heads())  # type: ignore[arg-type]


def test_each_mask_has_numbers_of_its_own(tmp_path: Path) -> None:
    made = found(tmp_path / "folds")
    assert from_json(TrustResult, (tmp_path / "folds" / TRUST_FILE).read_text()) == made
    assert made.trust is None
    assert [one.name for one in made.classes] == [WHOLE, CORE]
    assert made.without == (RARE,)
    whole, core = made.classes
    assert (whole.figures.patients, core.figures.patients) == (12, 9)
    assert whole.trust.features != core.trust.features
    assert made.numbers == (whole.trust, core.trust)
    assert made.figures.volume_intervals == whole.figures.volume_intervals + core.figures.volume_intervals


def test_a_patient_is_told_what_the_masks_tell_together(tmp_path: Path) -> None:
    made = found(tmp_path / "one")
    assert (made.left_out, len(made.patients)) == ("patient", 12)
    whole, core = ({row.patient: row for row in one.patients} for one in made.classes)
    for row in made.patients:
        parts = [part[row.patient] for part in (whole, core) if row.patient in part]
        assert len(parts) == 1 + has_core(int(row.patient[1:]))
        assert row.dice == pytest.approx(np.mean([part.dice for part in parts]))
        expected = [part.dice_expected for part in parts if part.dice_expected is not None]
        assert row.dice_expected == pytest.approx(np.mean(expected))
        assert row.look == any(part.look for part in parts)
        assert (row.volume_low_px, row.features) == (None, {})


def test_a_contract_takes_the_numbers_of_its_masks(tmp_path: Path) -> None:
    made = found(tmp_path / "one")
    contract = contract_of(HEADER)
    told = trusted(tmp_path / "one", contract, weights_sha256="sha")
    assert told.output_trusts == (*made.numbers, None)
    assert (told.trust, told.schema_version) == (None, 6)
    other = replace(contract, regions=(replace(contract.regions[0], threshold=0.7), *contract.regions[1:]))
    with pytest.raises(OptionError, match=r"threshold 0\.5 \(whole\), 0\.5 \(core\).* is given 0\.7 \(whole\)"):
        trusted(tmp_path / "one", other, weights_sha256="sha")
    assert trusted(tmp_path / "one", other, weights_sha256="sha", chosen=True) == other
    with pytest.raises(OptionError, match=r"it is of whole, core, rare, and the network draws one mask"):
        with_trust(replace(contract, regions=(), classes=(), foreground=()), made)


def test_the_tables_tell_each_mask_by_itself(tmp_path: Path) -> None:
    text = trust_markdown(found(tmp_path / "folds"))
    assert "Nothing could be fitted for rare" in text
    assert "one flagged mask flags the patient" in text
    for title in ("Each mask by itself", "The patients with the least Dice of core"):
        assert f"## {title}" in text


def test_what_ships_names_nobody_in_any_mask(tmp_path: Path) -> None:
    hidden = to_json(hide_in_trust(found(tmp_path / "folds"), PatientKey(secret=b"k" * KEY_BYTES), "sha of another"))
    assert [patient for patient in PATIENTS if f'"{patient}"' in hidden] == []


def test_an_imported_network_needs_the_users_word(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"imported was imported.* say so with --unseen"):
        found(tmp_path / "imported")
    made = found(tmp_path / "imported", unseen=True)
    assert (made.unseen, made.left_out, len(made.patients)) == (True, "patient", 12)
    assert "is the user's word" in trust_markdown(made)
    with pytest.raises(OptionError, match=r"--unseen is for an imported network, and .*one says itself"):
        found(tmp_path / "one", unseen=True)


def test_many_patients_are_left_out_in_groups() -> None:
    run = FoldRun(Path("one"), Checkpoint(header=replace(HEADER, validation_patients=tuple(map(str, range(90)))),
                                          arrays={}, path=Path("one/weights.safetensors")), "sha")  # fmt: skip
    groups, left_out = outputs.groups_of([run])
    assert (len(groups), left_out) == (20, "group of patients")
    assert sorted(patient for group in groups for patient in group.patients) == sorted(map(str, range(90)))


def folds_with_trust(tmp_path: Path) -> tuple[Path, TrustResult]:
    """Two folds whose weights are `0` and `1`, and what was found for the first of them."""
    made, folds = found(tmp_path / "folds"), tmp_path / "folds"
    for number in range(2):
        (folds / f"fold{number}").mkdir()
        (folds / f"fold{number}" / "weights.safetensors").write_text(str(number))
    made = replace(made, weights_sha256=sha256_bytes(b"0"))
    (folds / TRUST_FILE).write_text(to_json(made))
    return folds, made


def test_the_numbers_of_folds_are_for_the_first_alone(tmp_path: Path) -> None:
    folds, made = folds_with_trust(tmp_path)
    contract = contract_of(HEADER)
    own, other = (
        trusted(folds / f"fold{n}" / "weights.safetensors", contract, weights_sha256=sha256_bytes(b"%d" % n))
        for n in (0, 1)
    )
    assert own.output_trusts == (*made.numbers, None)
    assert other == contract
    moved = replace(contract, regions=(replace(contract.regions[0], threshold=0.7), *contract.regions[1:]))
    told = [left_out(folds / f"fold{n}", moved, weights_sha256=sha256_bytes(b"%d" % n)) for n in (0, 1)]
    assert "is given 0.7 (whole), 0.5 (core)" in str(told[0])
    assert told[1] is None


def test_the_numbers_of_folds_that_were_trained_anew_are_refused(tmp_path: Path) -> None:
    folds, _ = folds_with_trust(tmp_path)
    (folds / "fold0" / "weights.safetensors").write_text("another")
    for content, number in ((b"another", 0), (b"1", 1)):
        with pytest.raises(OptionError, match=r"was made for other weights .* 'edgeseg trust .*folds --data DIR'"):
            trust_for(folds / f"fold{number}", weights_sha256=sha256_bytes(content))


def test_an_imported_network_is_judged_at_the_point_of_its_contract(tmp_path: Path) -> None:
    """A build takes that point, so numbers of another one would never go into it."""
    made = found(tmp_path / "pointed", unseen=True)
    assert ({one.trust.threshold for one in made.classes}, made.passes) == ({0.6}, 2)
    assert trusted(tmp_path / "pointed", pointed(), weights_sha256="sha").output_trusts == (*made.numbers, None)


def test_what_ships_has_trust_of_its_own_point_alone(tmp_path: Path) -> None:
    folds, made = folds_with_trust(tmp_path)
    fold, point = folds / "fold0", OperatingPoint()
    of_fold = Checkpoint(header=HEADER, arrays={}, path=fold / "weights.safetensors")
    digest, other = made.weights_sha256, replace(point, passes=2)
    assert trust_to_ship(fold, of_fold, digest, point, asked=False) == made
    assert trust_to_ship(fold, of_fold, digest, other, asked=False) is None
    (fold / TRUST_FILE).write_text(to_json(made))
    assert trust_to_ship(fold, of_fold, digest, other, asked=True) is None
    with pytest.raises(OptionError, match=r"passes 1, and the network is given .* passes 2; make it again"):
        trust_to_ship(fold, of_fold, digest, other, asked=False)
