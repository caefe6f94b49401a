"""Chains from TOML and from options: what is read, and what is refused with the keys that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeseg.errors import EdgeSegError
from edgeseg.recipes import RECIPES
from edgeseg.recipes.chain_file import read_chain
from edgeseg.specs import MAIN_OPTIONS, RECIPE_SPECS, Chain, ChannelPrune, Cluster, Prune, Qat
from edgeseg.targets import resolve

READY = sorted((Path(__file__).parents[2] / "benchmarks" / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", READY, ids=lambda p: p.stem)
def test_the_ready_chains_can_be_read(path: Path) -> None:
    chain = read_chain(path)
    assert chain.steps
    assert resolve(chain.targets)


def test_every_recipe_has_a_spec_an_option_and_a_place_in_the_table() -> None:
    assert set(RECIPES) == set(RECIPE_SPECS) == set(MAIN_OPTIONS)


def test_a_chain_is_read_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "chain.toml"
    path.write_text(
        'targets = ["tflite-int8"]\n[[step]]\nrecipe = "channel-prune"\nmacs = 0.4\nlearning-rate = 1e-3\n'
        '[[step]]\nrecipe = "qat"\nepochs = 3\n'
    )
    assert read_chain(path) == Chain(
        steps=(ChannelPrune(macs=0.4, learning_rate=1e-3), Qat(epochs=3)), targets=("tflite-int8",)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step = [", "not TOML"),
        ("", r"there is no \[\[step\]\]"),
        ("[[step]]\nrecipe='half'\nbits=8", "unknown key 'bits'; there are no keys; leave it out"),
        ("speed = 1\n[[step]]\nrecipe='prune'", "unknown key 'speed'; the keys are: step, targets"),
        ("[[step]]\nsparsity = 0.5", "there is no recipe; give recipe = one of: channel-prune"),
        ("[[step]]\nrecipe = 'prun'", "unknown recipe 'prun'.*Did you mean 'prune'"),
        (
            "[[step]]\nrecipe = 'prune'\nmacs = 0.5",
            r"step 1 \(prune\): unknown key 'macs'; the keys are: distil_weight",
        ),
        ("[[step]]\nrecipe = 'prune'\nsparsity = 'half'", "step 1.sparsity: expected float, found str"),
        ("[[step]]\nrecipe = 'prune'\nsparsity = 1.5", r"step 1 \(prune\): sparsity is 1.5; it must lie"),
        ("[[step]]\nrecipe = 'channel-prune'\ncriterion = 'size'", "criterion is 'size'; choose one of: activation"),
        ("[[step]]\nrecipe = 'cluster'\nclusters = 1", "clusters is 1"),
        ("targets = 'all'\n[[step]]\nrecipe = 'qat'", "targets must be a list"),
    ],
)
def test_what_cannot_be_a_chain_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "chain.toml"
    path.write_text(text)
    with pytest.raises(EdgeSegError, match=message):
        read_chain(path)


def test_a_step_that_undoes_an_earlier_one_is_refused() -> None:
    with pytest.raises(EdgeSegError, match=r"'channel-prune' would undo what 'prune' did.*put 'channel-prune' before"):
        Chain(steps=(Prune(), ChannelPrune()))
    with pytest.raises(EdgeSegError, match=r"'qat' would undo what 'cluster' did.*use one of the two"):
        Chain(steps=(Cluster(), Qat()))
    with pytest.raises(EdgeSegError, match="twice"):
        Chain(steps=(Qat(), Qat()))
