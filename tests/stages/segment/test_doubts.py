"""Masks that no one should believe are said to be so, in the summary and on the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.jsonio import to_json
from edgeseg.specs import Contract, RunOptions
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
