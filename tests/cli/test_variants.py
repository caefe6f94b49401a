from __future__ import annotations

import json

import jsonschema_rs
import pytest

from edgeseg import networks
from edgeseg.artifacts import shipped
from edgeseg.cli import main as cli
from edgeseg.cli._variant import variant_of
from edgeseg.errors import OptionError, UnknownNameError
from edgeseg.results.schemas import schema
from edgeseg.specs import VariantSpec
from edgeseg.stages import listings
from edgeseg.targets import TARGETS
from edgeseg.variants import build_model, census
from edgeseg.variants.counted import counted
from edgeseg.variants.tiers import TIERS


def _printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_variants_prints_the_published_sizes_and_the_tiers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = _printed(capsys, "variants")
    rows = {line.split()[0]: line for line in text.splitlines() if line}
    assert max(map(len, text.splitlines())) <= 80
    assert {"31.03", "48.17"} <= set(rows["unet"].split())
    assert {"1.94", "3.03"} <= set(rows["alphax-0.25"].split())
    assert "39.15" in rows["r2unet"].split()
    assert set(TIERS) <= set(rows)


def test_variants_json_counts_and_says_what_ships(capsys: pytest.CaptureFixture[str]) -> None:
    printed = _printed(capsys, "variants", "--json")
    jsonschema_rs.validate(schema("variants"), json.loads(printed))
    found = json.loads(printed)
    assert found["schema_version"] == 1
    assert [tier["name"] for tier in found["tiers"]] == list(TIERS)
    ships = {row["network"] for row in found["variants"] if row["weights"]}
    assert ships == {path.name for path in shipped("models").iterdir() if path.is_dir()}
    assert all(row["census"]["parameters"] > 0 < row["census"]["macs"] for row in found["variants"])


def test_targets_prints_the_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    table, notes, groups = _printed(capsys, "targets").split("\n\n")
    assert [line.split()[0] for line in table.splitlines()] == ["target", *TARGETS]
    assert [line.split()[0] for line in notes.splitlines()] == [t.name for t in TARGETS.values() if t.note]
    assert "--target int8" in groups
    found = json.loads(_printed(capsys, "targets", "--json"))
    jsonschema_rs.validate(schema("targets"), found)
    assert found["schema_version"] == 1
    assert {row["name"]: row["max_flip_ppm"] for row in found["targets"]} == {
        name: target.max_flip_ppm for name, target in TARGETS.items()
    }


def test_a_name_and_a_slug_mean_the_shape_of_a_network() -> None:
    for network in networks.every():
        for name in (network.name, network.record.slug):
            assert variant_of(name, None, alpha=None, stem=None) == network.record.spec
    with pytest.raises(OptionError, match="'small' is a network of one shape"):
        variant_of("small", None, alpha=0.5, stem=None)
    with pytest.raises(UnknownNameError, match=r"unknown variant 'smal'.*Did you mean 'small'"):
        variant_of("smal", None, alpha=None, stem=None)


@pytest.mark.parametrize("spec", listings.listed_specs(), ids=lambda spec: spec.slug)
def test_what_is_listed_is_what_the_built_network_holds(spec: VariantSpec) -> None:
    assert counted(spec) == census(build_model(spec)), "count again: python tools/counted.py"


def test_levels_and_convolutions_are_read_as_numbers() -> None:
    spec = variant_of(None, None, alpha=None, stem=None, levels="8, 16,32,64,96", convolutions="1,1,1,1,2")
    assert spec == VariantSpec(alpha=1.0, levels=(8, 16, 32, 64, 96), convolutions=(1, 1, 1, 1, 2))
    with pytest.raises(OptionError, match="levels is '8,x'; give whole numbers with commas between"):
        variant_of(None, None, alpha=None, stem=None, levels="8,x")
