"""The networks that have a name: what ships, the user's own, and files that are not what they were made as."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeseg import artifacts, networks
from edgeseg.checkpoint import read_checkpoint
from edgeseg.errors import ArtifactError, OptionError, UnknownNameError
from edgeseg.runtime.contract import read_contract
from edgeseg.stages.listings import list_networks
from edgeseg.stages.ship import SHIPPED_TARGETS, files_are_stale
from edgeseg.targets import TARGETS
from edgeseg.variants import VARIANTS
from edgeseg.variants.tiers import TIERS

NAMES = ("light", "micro", "small", "tiny")
NAMES_BY_SIZE = ("light", "small", "tiny", "micro")
SHIPPED = tuple(sorted(path.parent.name for path in artifacts.shipped("models").glob("*/network.json")))
ANEW = "convert again: make ship-artifacts"


def test_what_ships_has_names_that_mean_nothing_else() -> None:
    assert set(NAMES) <= set(SHIPPED)
    assert set(SHIPPED).isdisjoint({*VARIANTS, *TIERS, *TARGETS, "all"})
    folders = {path.name for path in artifacts.shipped("models").iterdir() if path.is_dir()}
    assert folders == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_record_says_what_the_weights_say(name: str) -> None:
    record = networks.get(name).record
    header = read_checkpoint(networks.get(name).weights).header
    card = json.loads((networks.get(name).folder / "card.json").read_text())
    assert (record.name, record.slug, record.spec, record.image) == (
        name,
        header.variant.slug,
        header.variant,
        header.image,
    )
    assert record.weights_sha256 == artifacts.sha256_file(networks.get(name).weights) == card["weights_sha256"]
    assert (record.parameters, record.macs) == (card["parameters"], card["macs"])
    assert record.held_out.dice.mean == card["evaluation"]["dice"]["mean"]
    assert record.purpose
    assert not record.failed


@pytest.mark.parametrize("name", SHIPPED)
def test_the_files_of_a_network_are_those_of_its_weights_ranges_and_choice(name: str) -> None:
    network = networks.get(name)
    assert not files_are_stale(network), ANEW
    for target in SHIPPED_TARGETS:
        contract = read_contract(network.file(target))
        assert (contract.variant, contract.target) == (network.record.spec, target)
        assert contract.golden is not None
        assert networks.name_of_file(artifacts.sha256_file(network.file(target))) == name
    listed = {path.name for path in network.folder.iterdir() if path.suffix in (".onnx", ".ort", ".tflite")}
    made = network.files()
    assert made is not None
    assert {one.file for one in made.files} == listed


def test_what_ships_stays_small() -> None:
    sizes = [path.stat().st_size for path in artifacts.shipped("models").rglob("*") if path.is_file()]
    assert sum(sizes) < 12 << 20
    assert max(sizes) < 5 << 20


def test_a_slug_is_a_name_too_and_an_unknown_one_gets_the_nearest() -> None:
    for name in NAMES:
        assert networks.get(networks.get(name).record.slug).name == name
    with pytest.raises(UnknownNameError, match=r"unknown network 'lihgt'.*Did you mean 'light'"):
        networks.get("lihgt")


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of one network as a user's own, which the test may damage; nothing else is found."""
    folder = tmp_path / "models" / "micro"
    shutil.copytree(networks.get("micro").folder, folder)
    monkeypatch.setattr(artifacts, "homes", lambda: (tmp_path,))
    return folder


def test_an_altered_file_is_not_run(copied: Path) -> None:
    path = networks.get("micro").file()
    with path.open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ArtifactError, match=r"onnx-int8.onnx was altered: .* 'edgeseg ship'"):
        networks.get("micro").file()
    assert networks.get("micro").file("onnx-fp32").is_file()
    assert files_are_stale(networks.get("micro"))


def test_a_missing_file_a_missing_target_and_no_files_are_three_errors(copied: Path) -> None:
    network = networks.get("micro")
    (copied / "ort-int8.ort").unlink()
    with pytest.raises(ArtifactError, match=r"ort-int8.ort is missing"):
        network.file("ort-int8")
    with pytest.raises(OptionError, match=r"has no file of the target 'onnx-int9'.*Did you mean 'onnx-int8'"):
        network.file("onnx-int9")
    (copied / networks.FILES_FILE).unlink()
    with pytest.raises(
        ArtifactError, match="was not converted; make it with: edgeseg build --variant micro --target onnx-int8"
    ):
        network.file()


@pytest.mark.parametrize("file", [networks.RECORD_FILE, networks.FILES_FILE])
def test_a_damaged_list_is_named(copied: Path, file: str) -> None:
    (copied / file).write_text("{")
    with pytest.raises(ArtifactError, match=f"{file} is damaged"):
        networks.get("micro").file()


def test_a_folder_bears_the_name_of_its_network(copied: Path) -> None:
    copied.rename(copied.with_name("other"))
    with pytest.raises(ArtifactError, match="says that it is 'micro', and its folder is called 'other'"):
        networks.get("other")


@pytest.mark.parametrize("file", [networks.RECORD_FILE, networks.FILES_FILE])
def test_a_damaged_folder_of_ones_own_stops_no_other_network(own_network: Callable[[str], Path], file: str) -> None:
    folder = own_network("mine")
    (folder / file).write_text("{")
    assert networks.get("light").file().is_file()
    assert networks.name_of_file("0" * 64) == ""
    assert networks.names() == (*NAMES_BY_SIZE, *(("mine",) if file == networks.FILES_FILE else ()))
    with pytest.raises(ArtifactError, match="edgeseg ship --replace', or take the folder away"):
        list_networks()


@pytest.mark.parametrize("file", ["../x.onnx", "", "x" * 300, "a/b", "x\0"], ids=["out", "empty", "long", "in", "nul"])
def test_a_file_of_a_network_lies_in_its_folder(copied: Path, file: str) -> None:
    plain = json.loads((copied / networks.FILES_FILE).read_text())
    plain["files"][0]["file"] = file
    (copied / networks.FILES_FILE).write_text(json.dumps(plain))
    with pytest.raises(ArtifactError, match=r"artifacts.json is damaged .* a name such as onnx-int8.onnx is needed"):
        networks.get("micro").file()


def test_a_network_of_ones_own_is_found_and_of_one_name_taken_first(own_network: Callable[[str], Path]) -> None:
    folder = own_network("mine")
    assert networks.get("mine").own
    assert networks.get("mine").folder == folder
    own_network("micro")
    assert networks.get("micro").own
    assert networks.of_variant(networks.get("light").record.spec) == networks.get("light")


@pytest.mark.parametrize("path", ["x" * 5000, "light/" + "x" * 5000], ids=["name", "target"])
def test_a_path_that_no_file_can_have_is_one_error(path: str) -> None:
    with pytest.raises(ArtifactError, match=r"^.{100}: there can be no file \(File name too long\); check the path"):
        networks.artifact(Path(path))


@pytest.mark.parametrize("name", ["Light", "a b", "../x", "", "a--b", "x" * 41])
def test_a_name_is_one_word_that_a_folder_can_have(name: str) -> None:
    with pytest.raises(OptionError, match="small letters and digits"):
        networks.check_name(name)
