"""A build that nobody ran: `tests/synthetic/build.json` holds made-up figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg.jsonio import from_json
from edgeseg.results import BuildResult

SYNTHETIC_BUILD = Path(__file__).parents[1] / "synthetic" / "build.json"


@pytest.fixture
def make_build() -> Callable[..., BuildResult]:
    """Give a function that returns the synthetic build; keywords replace its fields."""
    build = from_json(BuildResult, SYNTHETIC_BUILD.read_text())
    return lambda **changes: replace(build, **changes)
