from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.errors import CheckFailedError, ContractError
from edgeseg.jsonio import to_json
from edgeseg.runtime.self_test import make_case
from edgeseg.service.engine import Engine
from edgeseg.specs import Contract, ServeOptions

OPTIONS = ServeOptions(workers=1)


def _flair_logits(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images[..., 1].astype(np.float32) / np.float32(255) * 20 - 10


def test_a_host_that_draws_the_golden_case_wrongly_does_not_serve(
    tiny_onnx: Callable[..., Path], tiny_contract: Contract
) -> None:
    golden = replace(tiny_contract, golden=make_case(_flair_logits, tiny_contract, made_with="NumPy", step=None))
    engine = Engine.load(tiny_onnx(contract=golden), OPTIONS)
    engine.close()
    assert engine.model.self_tested
    with pytest.raises(CheckFailedError, match="edgeseg doctor"):
        Engine.load(tiny_onnx(contract=golden, weights=(20.0, 0.0, 0.0)), OPTIONS)


def test_a_model_without_a_contract_is_given_one(
    tiny_onnx: Callable[..., Path], tiny_contract: Contract, tmp_path: Path
) -> None:
    bare, told = tiny_onnx(contract=None), tmp_path / "contract.json"
    told.write_text(to_json(tiny_contract))
    with pytest.raises(ContractError):
        Engine.load(bare, OPTIONS)
    engine = Engine.load(bare, OPTIONS, told)
    engine.close()
    assert engine.model.size == (16, 24)
    assert not engine.model.self_tested
