"""What lies beside weights: of which masks, weights and points it is, and where it is left out."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgeseg.artifacts import sha256_bytes
from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import OptionError
from edgeseg.jsonio import to_json
from edgeseg.results import TrustResult
from edgeseg.specs import ClassPoint, OperatingPoint
from edgeseg.stages.ship.point import trust_to_ship
from edgeseg.stages.trust import TRUST_FILE, left_out, trust_for, trusted, with_trust
from tests.stages.trust._several import (
    CORE,
    HEADER,
    NAMES,
    RARE,
    contract_of,
    drawn_folds,
    found,
    pointed,
)

pytestmark = pytest.mark.usefixtures(drawn_folds.__name__)


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


def test_the_thresholds_of_a_network_are_its_own_and_not_those_of_the_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build holds them against the choice beside the network."""
    for place, threshold in (("folds", 0.6), ("one", 0.4)):
        (tmp_path / place).mkdir()
        (tmp_path / place / "choice.json").write_text(str(threshold))

    def read(file: Path, *, variant: str) -> Any:
        points = [ClassPoint(name=name, threshold=float(file.read_text())) for name in NAMES]
        return SimpleNamespace(chosen=OperatingPoint(classes=tuple(points)))

    monkeypatch.setattr(importlib.import_module("edgeseg.stages.trust.trust"), "read_choice", read)
    made = found(tmp_path / "one", folds=(tmp_path / "folds",))
    assert {(one.threshold, one.trust.threshold) for one in made.classes} == {(0.4, 0.6)}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"without": (RARE, CORE)}, r"name 4 masks, 'core' the last"),
        ({"without": ("\x1b[31m",)}, r"a mask of trust is called"),
        ({"classes": ()}, r"one of the two is needed"),
    ],
)
def test_masks_are_named_once(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    made = found(tmp_path / "one")
    with pytest.raises(OptionError, match=told):
        replace(made, **change)


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
