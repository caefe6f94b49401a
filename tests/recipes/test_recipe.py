"""What recipes share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from edgeseg.recipes.recipe import fine_tuning
from edgeseg.specs import Qat, TrainSpec


def test_a_network_of_an_accelerator_is_trained_on_with_crops_from_the_host() -> None:
    trained = TrainSpec(augment="scanner", augment_on="device", paste_share=0.25, initial="0" * 64, batch_size=32)
    parent: Any = SimpleNamespace(header=SimpleNamespace(train=trained, variant=trained.variant))
    spec = fine_tuning(parent, Qat(epochs=2))
    assert (spec.augment_on, spec.epochs, spec.initial) == ("host", 2, None)
    assert (spec.augment, spec.paste_share, spec.batch_size) == ("scanner", 0.25, 32)
