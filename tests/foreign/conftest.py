"""Fixtures of other people's networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edgeseg.specs import Contract, VariantSpec


@pytest.fixture(scope="session")
def make_contract() -> Callable[..., Contract]:
    def make(**options: Any) -> Contract:
        spec = VariantSpec(name="somebodys", alpha=1.0, stem="full")
        return Contract(variant=spec, tier="custom", target="x", layout="NHWC", trained_on="unknown", **options)

    return make
