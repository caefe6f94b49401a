"""A U of one level in place of four: most of the time that a tiny network takes goes by the layer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from edgeseg.variants import VARIANTS, Variant, blocks

DEEP = blocks.encoder_decoder


def encoder_decoder(*told: Any) -> Any:
    """Lay the U as edgeseg does, with one pooling; `told` is what edgeseg's own takes."""
    with patch.object(blocks, "DEPTH", 1):
        return DEEP(*told)


def variants() -> dict[str, Variant]:
    """Return every family with the slots that such a U has."""
    kept = ("enc1", "bottom", "dec1")
    return {
        name: replace(variant, slots=tuple(slot for slot in variant.slots if slot.startswith(kept)))
        for name, variant in VARIANTS.items()
    }


@contextlib.contextmanager
def everywhere() -> Iterator[None]:
    """Build every U so, wherever it is asked for by name."""
    with patch.dict(VARIANTS, variants()), patch.object(blocks, "encoder_decoder", encoder_decoder):
        yield
