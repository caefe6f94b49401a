"""What inputs look like is learned so that what was made odd is told, and what was not is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.errors import DatasetError
from edgeseg.specs.input_look import feature_count
from edgeseg.stages.trust import fit_look
from edgeseg.stages.trust.input_fit import LEAST_PATIENTS, LookRow
from edgeseg.trust import sign_scores

FEATURES = feature_count(1)


def rows(count: int, seed: int) -> list[LookRow]:
    rng, found = np.random.default_rng(seed), []
    for _ in range(count):
        clean = rng.normal(0.0, 1.0, FEATURES)
        small, blurred = clean.copy(), clean.copy()
        small[0] -= 9.0
        blurred[[17, 18]] -= 6.0
        found.append(LookRow(clean=clean, odd={("too-small", ()): small[None], ("blurred", ()): blurred[None]}))
    return found


def test_others_than_those_it_was_learned_from_are_told_rightly() -> None:
    look, fresh = fit_look(rows(40, seed=0), "drawn"), rows(100, seed=1)
    look.check_channels(1)
    assert look.signs == ("too-small", "blurred")

    def share(values: list[np.ndarray], sign: int) -> float:
        return float(np.mean([sign_scores(tuple(map(float, one)), look)[sign] > 0 for one in values]))

    assert share([row.odd["too-small", ()][0] for row in fresh], 0) == 1.0
    assert share([row.odd["blurred", ()][0] for row in fresh], 1) > 0.9
    assert max(share([row.clean for row in fresh], sign) for sign in (0, 1)) < 0.05
    assert 0 in [look.features[place] for place in look.on[0]]


def test_too_few_patients_are_refused() -> None:
    with pytest.raises(DatasetError, match="leave the input check out"):
        fit_look(rows(LEAST_PATIENTS - 1, seed=0), "drawn")
