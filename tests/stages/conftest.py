"""What lets tests train in seconds whose subject is not the training itself."""

from __future__ import annotations

import pytest


@pytest.fixture
def untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take training steps one by one: for a handful of them, making a graph first takes longer than all of them."""
    from edgeseg.backend import load_keras

    model = load_keras().Model
    compiled = model.compile
    monkeypatch.setattr(model, "compile", lambda self, **told: compiled(self, **told, run_eagerly=True))


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build every U with one level in place of four."""
    from edgeseg.variants import VARIANTS, blocks
    from tests.stages import _shallow

    for name, variant in _shallow.variants().items():
        monkeypatch.setitem(VARIANTS, name, variant)
    monkeypatch.setattr(blocks, "encoder_decoder", _shallow.encoder_decoder)
