"""Drawn folds of a network of three masks, of which one is never drawn, and networks that were imported."""

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
from edgeseg.results import TrustResult
from edgeseg.specs import Contract, ImageSpec, TrainSpec, VariantSpec
from edgeseg.specs.foreign import ForeignRecord
from edgeseg.stages.folds.logits import FoldRun
from edgeseg.stages.predict import checkpoint_contract
from edgeseg.stages.trust import TrustInputs, trust

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


@pytest.fixture
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
