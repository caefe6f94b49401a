"""Networks of several masks, and imported ones: what is fitted for each mask, and what that tells of a patient."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import DatasetError, MaskError, OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.reports.trust import trust_markdown
from edgeseg.results import TrustResult
from edgeseg.specs import KEY_BYTES, PatientKey
from edgeseg.stages.folds.logits import FoldRun
from edgeseg.stages.ship.pseudonyms import hide_in_trust
from edgeseg.stages.trust import TRUST_FILE
from tests.stages.trust import _several
from tests.stages.trust._several import (
    CORE,
    HEADER,
    PATIENTS,
    RARE,
    WHOLE,
    Heads,
    contract_of,
    drawn_folds,
    foreign,
    found,
    has_core,
    logits_of,
)

outputs = importlib.import_module("edgeseg.stages.trust.outputs")
pytestmark = pytest.mark.usefixtures(drawn_folds.__name__)


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


def test_one_rated_mask_of_several_still_tells_of_a_patient_as_several_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing found in it flags the patient, of whom nothing else is known, and not the mask."""

    def drawn(one: FoldRun, cache: Heads, *, flips: str) -> Iterator[tuple[str, Any]]:
        for patient in one.patients:
            made = logits_of(patient)
            made[..., 1:] = -8.0
            yield patient, np.full_like(made, -8.0) if patient == PATIENTS[-1] else made

    monkeypatch.setattr(outputs, "held_out_logits", drawn)
    made = found(tmp_path / "one")
    assert [one.name for one in made.classes] == [WHOLE]
    (row,), (mask,) = ([one for one in rows if one.patient == PATIENTS[-1]] for rows in
                       (made.patients, made.classes[0].patients))  # fmt: skip
    assert (row.look, row.dice_expected, mask.look) == (True, None, False)
    assert {one.volume_low_px for one in made.patients} == {None}
    assert made.figures.volume_intervals == 11


def test_the_tables_tell_each_mask_by_itself(tmp_path: Path) -> None:
    text = trust_markdown(found(tmp_path / "folds"))
    assert "Nothing could be fitted for rare" in text
    assert "one flagged mask flags the patient" in text
    for title in ("Each mask by itself", "The patients with the least Dice of core"):
        assert f"## {title}" in text


def test_what_ships_names_nobody_in_any_mask(tmp_path: Path) -> None:
    hidden = to_json(hide_in_trust(found(tmp_path / "folds"), PatientKey(secret=b"k" * KEY_BYTES), "sha of another"))
    assert [patient for patient in PATIENTS if f'"{patient}"' in hidden] == []


def test_what_ships_does_not_tell_the_order_of_ids(tmp_path: Path) -> None:
    hidden = hide_in_trust(found(tmp_path / "one"), PatientKey(secret=b"k" * KEY_BYTES), "sha of another")
    names = [group.patients for group in hidden.groups]
    assert names == sorted(names)
    for rows in (hidden.patients, *(one.patients for one in hidden.classes)):
        assert all((row.patient,) == names[row.group] for row in rows)


def test_an_imported_network_needs_the_users_word(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"imported was imported.* say so with --unseen"):
        found(tmp_path / "imported")
    made = found(tmp_path / "imported", unseen=True)
    assert (made.unseen, made.left_out, len(made.patients)) == (True, "patient", 12)
    assert "is the user's word" in trust_markdown(made)
    with pytest.raises(OptionError, match=r"--unseen is for an imported network, and .*one says itself"):
        found(tmp_path / "one", unseen=True)
    (tmp_path / "folds").mkdir()
    assert found(tmp_path / "imported", unseen=True, folds=(tmp_path / "folds",)).left_out == "fold"


def test_whom_an_imported_network_was_trained_on_since_is_not_unseen() -> None:
    header = replace(HEADER, foreign=foreign(None), train_patients=("P2", "of another set"))
    run = FoldRun(Path("imported"), Checkpoint(header=header, arrays={}, path=Path("imported/w")), "sha")
    held = outputs._all_held_out(run, Heads()).checkpoint.header
    assert held.validation_patients == tuple(patient for patient in PATIENTS if patient != "P2")
    assert held.train_patients == ("P2",)


def test_data_of_other_classes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_mask = replace(foreign(None), contract=replace(contract_of(HEADER), regions=(), classes=()))
    monkeypatch.setattr(_several, "foreign", lambda _: one_mask)
    with pytest.raises(MaskError, match=r"the network draws one mask, and the masks of P0 are of whole, core, rare"):
        found(tmp_path / "imported", unseen=True)


def test_whoever_has_nothing_is_named_all_the_same(tmp_path: Path) -> None:
    made = found(tmp_path / "one")
    group = replace(made.groups[0], patients=("of nothing",))
    assert "of nothing" in replace(made, groups=(group, *made.groups[1:])).everybody


def test_many_patients_are_left_out_in_groups() -> None:
    run = FoldRun(Path("one"), Checkpoint(header=replace(HEADER, validation_patients=tuple(map(str, range(90)))),
                                          arrays={}, path=Path("one/weights.safetensors")), "sha")  # fmt: skip
    groups, left_out = outputs.groups_of([run])
    assert (len(groups), left_out) == (20, "group of patients")
    assert sorted(patient for group in groups for patient in group.patients) == sorted(map(str, range(90)))
