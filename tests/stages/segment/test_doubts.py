"""Masks that no one should believe are said to be so, in the summary and on the terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.jsonio import to_json
from edgeseg.reports.csv import patients
from edgeseg.specs import Contract, InputLook, RunOptions, Trust
from edgeseg.stages.inspect import contract_template, inspect
from edgeseg.stages.segment import run

Write = Callable[..., Path]


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    """Three slices with a head of 12 x 12 pixels on black and a lesion of 3 x 3 in it."""
    folder = tmp_path / "p"
    folder.mkdir()
    for number in range(3):
        image = np.zeros((16, 24, 3), np.uint8)
        image[2:14, 6:18] = (90, 60, 80)
        image[13, 17] = 60 + number
        image[5:8, 9:12, 1] = 250
        Image.fromarray(image).save(folder / f"p_{number}.png")
    return folder


def _warnings(model: Path, patient: Path, contract: str | None = None) -> tuple[str, ...]:
    told = patient.parent / "contract.json"
    if contract is not None:
        told.write_text(contract)
    options = RunOptions(contract=None if contract is None else told)
    (found,) = run(model, [patient], out=patient.parent / "out", options=options).patients
    return found.warnings


def _mask(patient: Path) -> bytes:
    return Image.open(patient.parent / "out" / "p" / "p_1_mask.png").tobytes()


def test_a_sigmoid_gives_the_mask_of_the_same_file_without_it(foreign_onnx: Write, patient: Path) -> None:
    masks = []
    for tail in ((), ("Sigmoid",)):
        model = foreign_onnx(tail=tail)
        assert _warnings(model, patient, contract_template(inspect(model))[0]) == ()
        masks.append(_mask(patient))
    assert masks[0] == masks[1]
    assert 0 < np.frombuffer(masks[0], np.uint8).astype(bool).sum() == 9


def test_probabilities_under_a_contract_of_logits_are_doubted(
    foreign_onnx: Write, patient: Path, tiny_contract: Contract
) -> None:
    values, covered = _warnings(foreign_onnx(tail=("Sigmoid",)), patient, to_json(tiny_contract))
    assert "looks like probabilities" in values
    assert "covers 267% of what is not black" in covered


def test_a_mask_over_most_of_the_head_is_doubted(foreign_onnx: Write, patient: Path, tiny_contract: Contract) -> None:
    (told,) = _warnings(foreign_onnx(weight=((9.0, 0, 0),)), patient, to_json(tiny_contract))
    assert "covers 100% of what is not black" in told
    strict = replace(tiny_contract, threshold=0.2)
    assert _warnings(foreign_onnx(weight=((-9.0, 0, 0),)), patient, to_json(strict)) == ()


def test_slices_without_a_signal_are_said(tiny_onnx: Write, patient: Path) -> None:
    for path in patient.iterdir():
        Image.new("RGB", (24, 16), (90, 60, 80)).save(path)
    assert any("there is no signal" in told for told in _warnings(tiny_onnx(), patient))


def _with(look: InputLook, contract: Contract) -> Contract:
    return replace(contract, trust=Trust(input=look)).versioned()


def test_an_input_that_is_unlike_the_training_data_is_said_once(
    tiny_onnx: Write, patient: Path, tiny_contract: Contract
) -> None:
    small = InputLook(
        features=(1,),
        typical=(0.9,),
        spread=(0.1,),
        signs=("too-small",),
        on=((0,),),
        weights=((-1.0,),),
        bias=(-1.0,),
        patients=20,
        data="phantom",
    )
    model = tiny_onnx(contract=_with(small, tiny_contract))
    result = run(model, [patient], out=patient.parent / "out")
    (found,) = result.patients
    assert found.odd_input == "too-small"
    (row,) = csv.DictReader(io.StringIO(patients(result)))
    assert row["odd_input"] == "too-small"
    assert [told for told in found.warnings if "too small in the picture" in told] == list(found.warnings[:1])
    usual = tiny_onnx("usual.onnx", contract=_with(replace(small, typical=(0.5,)), tiny_contract))
    (found,) = run(usual, [patient], out=patient.parent / "again").patients
    assert (found.odd_input, found.warnings) == ("", ())


@pytest.mark.parametrize(
    ("channel", "says"), [(0, "hold the same picture"), (None, "'pre' holds one value throughout")]
)
def test_a_sequence_that_is_copied_or_missing_is_said_whatever_the_contract_knows(
    tiny_onnx: Write, patient: Path, channel: int | None, says: str
) -> None:
    for path in patient.iterdir():
        image = np.array(Image.open(path))
        if channel is None:
            image[..., 0] = 0
        else:
            image[..., 2] = image[..., channel]
        Image.fromarray(image).save(path)
    assert sum(says in told for told in _warnings(tiny_onnx(), patient)) == 1
