"""Whether trust that was found at another point may be left out of a build."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from edgeseg.stages.build.point import own_point


@pytest.mark.parametrize(
    ("run", "choice", "own"),
    [
        ("run", None, False),
        ("run", "run/choice.json", True),
        ("folds/fold0", None, True),
        ("folds/fold0", "folds/choice.json", False),
        ("folds/fold0", "other.json", True),
    ],
)
def test_a_point_is_its_own_where_it_was_asked_for_or_is_of_a_fold(
    tmp_path: Path, run: str, choice: str | None, own: bool
) -> None:
    for place in ("run", "folds/fold0"):
        (tmp_path / place).mkdir(parents=True)
    for file in ("run/choice.json", "run/trust.json", "folds/choice.json", "folds/trust.json"):
        (tmp_path / file).write_text("{}")
    spec = SimpleNamespace(choice=None if choice is None else tmp_path / choice, checkpoint=tmp_path / run)
    checkpoint = SimpleNamespace(path=tmp_path / run / "weights.safetensors")
    assert own_point(cast(Any, spec), cast(Any, checkpoint)) is own
