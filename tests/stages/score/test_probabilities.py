"""Scores of a network that gives probabilities are those of the same network without its last sigmoid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeseg.data.volume import Volume
from edgeseg.jsonio import to_json
from edgeseg.runtime import Segmenter
from edgeseg.specs import Contract
from edgeseg.stages.score import evaluate, verify


def test_verify_and_evaluate_follow_the_contract(
    foreign_onnx: Callable[..., Path], tiny_contract: Contract, tmp_path: Path
) -> None:
    images = np.random.default_rng(5).integers(0, 256, (4, 20, 30, 3), dtype=np.uint8)
    masks = images[..., 1] > 120
    volume = Volume(patient="P", institution="", images=images, masks=masks, slice_names=("a", "b", "c", "d"))
    opened = {}
    for output, tail in (("logits", ()), ("probabilities", ("Sigmoid",))):
        told = tmp_path / f"{output}.json"
        told.write_text(to_json(replace(tiny_contract, output=output, threshold=0.4)))
        opened[output] = Segmenter.load(foreign_onnx(f"{output}.onnx", tail), contract=told)
    parity = verify(opened["probabilities"], opened["logits"], [volume], artifact="x", max_flip_ppm=0.0)
    assert parity.passed
    assert parity.max_logit_difference < 1e-5
    scores = [evaluate(one, [volume], artifact="x", data="made up") for one in opened.values()]
    assert scores[0] == scores[1]
    assert 0.1 < scores[0].dice.mean < 1
