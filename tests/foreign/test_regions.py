"""Several masks of somebody's network: what its contract and its graph say of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edgeseg.checkpoint import read_checkpoint
from edgeseg.errors import ContractError, OptionError
from edgeseg.foreign import of_artifact, read_foreign_contract, write_contract_toml
from edgeseg.foreign.head_rules import HeadWish, decide_masks
from edgeseg.jsonio import to_json
from edgeseg.specs import Contract, MaskRegion, contract_toml
from edgeseg.stages.adopt import adopt, ask, original_of
from edgeseg.stages.predict import checkpoint_contract, checkpoint_predictor
from edgeseg.stages.ship.trust_vectors import TYPICAL
from tests.foreign._keras_networks import SIDE, saved, unet
from tests.foreign.graph._gated import gated, node

WHOLE, CORE = (MaskRegion(name="whole", channels=(1, 2), label=1), MaskRegion(name="core", channels=(2,), label=2))
TEXT = """
classes = ["air", "oedema", "core"]
[[regions]]
name = "whole"
channels = ["oedema", "core"]
label = 1
threshold = 0.4
[[regions]]
name = "core"
channels = 2
label = 2
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def slices(side: int = SIDE) -> Any:
    return np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("head", "said", "exclusive"),
    [
        ("softmax", "", True),
        ("sigmoid", "", False),
        (None, "exclusive = true", True),
        (None, "exclusive = false", False),
    ],
    ids=["softmax", "sigmoid", "logits-exclusive", "logits-overlapping"],
)
def test_a_network_of_several_channels_draws_a_mask_for_each_region(
    head: str | None, said: str, exclusive: bool, tmp_path: Path
) -> None:
    file = saved(unet(keras, head=head, channels=3), tmp_path / "net.keras")
    result = adopt(file, tmp_path / "run", contract=written(tmp_path / "c.toml", said + TEXT))
    assert (result.parity.flipped_pixels, [one.name for one in result.regions]) == (0, ["whole", "core"])
    run = read_checkpoint(tmp_path / "run")
    contract = checkpoint_contract(run.header)
    assert (contract.exclusive, contract.output, contract.classes) == (exclusive, "logits", ("air", "oedema", "core"))
    assert [one.threshold for one in contract.regions] == [0.4, 0.5]
    logits, theirs = checkpoint_predictor(run).logits(slices()), original_of(run).logits(slices())
    assert logits.shape == (2, SIDE, SIDE, 2)
    np.testing.assert_allclose(logits, theirs, atol=1e-3)
    nested = logits[..., 0] >= logits[..., 1]
    assert bool(nested.all()) is not exclusive or exclusive


@pytest.mark.parametrize(("end", "exclusive"), [("Softmax", True), ("Sigmoid", False)], ids=["softmax", "sigmoid"])
def test_an_onnx_graph_of_several_channels_draws_them_too(end: str, exclusive: bool, tmp_path: Path) -> None:
    options: dict[str, Any] = {"axis": 1} if end == "Softmax" else {}
    file = gated(tmp_path / "gated.onnx", node(end, ["z"], ["y"], **options), channels=3)
    result = adopt(file, tmp_path / "run", contract=written(tmp_path / "c.toml", TEXT))
    assert result.parity.passed
    run = read_checkpoint(tmp_path / "run")
    assert checkpoint_contract(run.header).exclusive is exclusive
    given = slices(16)
    np.testing.assert_allclose(checkpoint_predictor(run).logits(given), original_of(run).logits(given), atol=1e-3)


@pytest.mark.parametrize(
    ("kind", "wish", "message"),
    [
        ("softmax", {"exclusive": False}, "ends in a softmax, so one class wins"),
        ("sigmoid", {"exclusive": True}, "ends in a sigmoid, so each channel is by itself"),
        (
            "softmax",
            {"regions": (WHOLE, MaskRegion(name="rim", channels=(3,), label=2))},
            "'rim' .* counted from 0 to 2",
        ),
        ("softmax", {"classes": ("air", "tumour")}, r"names 2 classes \(air, tumour\) and the output has 3"),
    ],
    ids=["shared", "apart", "channel", "classes"],
)
def test_a_contract_that_contradicts_the_graph_is_refused(kind: str, wish: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        decide_masks(kind, 3, Path("net.onnx"), HeadWish(**({"regions": (WHOLE, CORE)} | wish)), [])


def test_logits_do_not_tell_whether_classes_share_a_pixel() -> None:
    wish = HeadWish(regions=(WHOLE, CORE))
    with pytest.raises(OptionError, match="exclusive = true where a softmax"):
        decide_masks("logits", 3, Path("net.onnx"), wish, [])
    assert not decide_masks("probabilities", 3, Path("net.onnx"), wish, []).exclusive


def test_one_mask_is_not_named_as_a_region_and_foreground_not_beside_regions(tmp_path: Path) -> None:
    one = '[[regions]]\nname = "a"\nchannels = [1]\nlabel = 1\n'
    with pytest.raises(ContractError, match="for one mask name its channels in foreground"):
        read_foreign_contract(written(tmp_path / "one.toml", one))
    with pytest.raises(ContractError, match="give one of the two"):
        read_foreign_contract(written(tmp_path / "both.toml", "foreground = [1]" + TEXT))
    with pytest.raises(ContractError, match="region 'whole' names 'oedema', which is not among classes"):
        read_foreign_contract(written(tmp_path / "names.toml", TEXT.replace("oedema", "rim", 1)))


def test_what_ask_writes_names_the_regions_once_they_are_no_comments(tmp_path: Path) -> None:
    file = saved(unet(keras, head="softmax", channels=4), tmp_path / "net.keras")
    place = ask(file, tmp_path / "run")
    text = place.read_text()
    assert "or regions for several" in text
    start = text.index("# [[regions]]")
    place.write_text(text[:start] + re.sub("^# ", "", text[start:], flags=re.MULTILINE))
    result = adopt(file, tmp_path / "run", contract=place)
    assert [(one.name, one.channels, one.label) for one in result.regions] == [
        ("class-1", (1,), 1), ("class-2", (2,), 2), ("class-3", (3,), 3)
    ]  # fmt: skip


def test_what_is_known_of_regions_is_written_as_it_is(tmp_path: Path) -> None:
    given = read_foreign_contract(written(tmp_path / "c.toml", "exclusive = true" + TEXT))
    again = read_foreign_contract(written(tmp_path / "again.toml", write_contract_toml(given, (), 3)))
    assert again.regions == given.regions
    assert (again.exclusive, again.classes) == (True, given.classes)


def test_trust_of_the_file_is_passed_over_in_what_is_made_of_it(tmp_path: Path, tiny_contract: Contract) -> None:
    """It was measured on the network of that file; what an import makes is measured anew."""
    trusted = tuple(replace(region, trust=TYPICAL) for region in (WHOLE, CORE))
    contract = replace(tiny_contract, classes=("air", "oedema", "core"), regions=trusted).versioned()
    shown = written(tmp_path / "shown.toml", contract_toml(contract))
    plain = written(tmp_path / "plain.json", to_json(contract))
    for given in (of_artifact(contract), read_foreign_contract(shown), read_foreign_contract(plain)):
        assert given.regions == (WHOLE, CORE)
