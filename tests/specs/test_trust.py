from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgeseg.errors import OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.specs import Contract, Trust, TrustFeature
from edgeseg.stages.ship.trust_vectors import trust_vectors

OUTPUT = trust_vectors()[0].trust


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"features": ()}, "give at least one, each once"),
        ({"features": (OUTPUT.features[0], OUTPUT.features[0])}, "give at least one, each once"),
        ({"low": 0.6}, "in this order"),
        ({"high": 1.0}, "in this order"),
        ({"look_below": 1.0}, "look_below is 1.0"),
        ({"coverage": 0.0}, "coverage is 0.0"),
        ({"volume_low": -0.1}, "volume_low is -0.1"),
        ({"intercept": float("nan")}, "intercept is nan"),
        ({"slope": 0.0}, "slope is 0.0"),
        ({"groups": 89}, "88 patients in 89 groups"),
        ({"network": ""}, "is called"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_numbers_that_nothing_could_be_computed_with(change: dict[str, Any], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        replace(OUTPUT, **change)


def test_a_feature_that_no_runner_computes() -> None:
    with pytest.raises(OptionError, match="trust feature 'mood' is unknown; choose one of: log_unsure_border"):
        TrustFeature(name="mood", weight=1.0, typical=0.0)


def test_a_contract_needs_its_newest_version_for_it_alone(tiny_contract: Contract) -> None:
    assert "trust" not in to_json(tiny_contract)
    assert tiny_contract.versioned().schema_version == 2
    trusted = replace(tiny_contract, trust=Trust(output=OUTPUT)).versioned()
    assert trusted.schema_version == 4
    assert from_json(Contract, to_json(trusted)) == trusted
    assert len(to_json(trusted.trust, indent=None)) < 1000


def test_it_is_of_one_mask(tiny_parts: Contract) -> None:
    with pytest.raises(OptionError, match="for a network of one mask"):
        replace(tiny_parts, trust=Trust(output=OUTPUT))


def test_an_empty_one() -> None:
    with pytest.raises(OptionError, match="trust holds nothing"):
        Trust()


@pytest.mark.parametrize(
    ("name", "typical"),
    [("log_unsure_border", 1e6), ("log_unsure_border", -30.0), ("neighbours", 1.5), ("neighbours", -0.1)],
    ids=["wide", "narrow", "more-than-all", "less-than-none"],
)
def test_a_typical_value_that_no_volume_has(name: str, typical: float) -> None:
    with pytest.raises(OptionError, match=f"typical of trust feature '{name}' is {typical}; values of it lie from"):
        TrustFeature(name=name, weight=1.0, typical=typical)
