"""The networks that have a name: what ships, the user's own, and files that are not what they were made as."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from edgeseg import artifacts, networks
from edgeseg.checkpoint import read_checkpoint, weights_path
from edgeseg.errors import ArtifactError, CheckpointError, OptionError, UnknownNameError
from edgeseg.runtime.contract import onnx_metadata, read_contract
from edgeseg.stages.choose import CHOICE_FILE
from edgeseg.stages.listings import list_networks, list_variants
from edgeseg.stages.ship import SHIPPED_TARGETS, convert_shipped, files_are_stale, kept_targets
from edgeseg.targets import TARGETS
from edgeseg.variants import VARIANTS
from edgeseg.variants.tiers import TIERS

NAMES = ("light", "micro", "small", "tiny")
NAMES_BY_SIZE = ("light", "small", "tiny", "micro")
FAMILIES = ("recurrent", "batchnorm", "vanilla")
"""They are there to be compared."""
SHIPPED = tuple(sorted(path.parent.name for path in artifacts.shipped("models").glob("*/network.json")))
WITH_WEIGHTS = tuple(name for name in SHIPPED if networks.get(name).has_weights)
ANEW = "convert again: make ship-artifacts"


def test_what_ships_has_names_that_mean_nothing_else() -> None:
    assert {*NAMES, *FAMILIES} == set(SHIPPED)
    assert set(SHIPPED).isdisjoint({*VARIANTS, *TIERS, *TARGETS, "all"})
    folders = {path.name for path in artifacts.shipped("models").iterdir() if path.is_dir()}
    assert folders == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_record_says_what_the_card_says(name: str) -> None:
    record = networks.get(name).record
    card = json.loads((networks.get(name).folder / networks.CARD_FILE).read_text())
    assert record.name == name
    assert (record.slug, record.weights_sha256) == (card["variant"], card["weights_sha256"])
    assert (record.parameters, record.macs) == (card["parameters"], card["macs"])
    assert record.held_out.dice.mean == card["evaluation"]["dice"]["mean"]
    assert record.purpose
    assert not record.failed


@pytest.mark.parametrize("name", WITH_WEIGHTS)
def test_a_record_says_what_the_weights_say(name: str) -> None:
    record = networks.get(name).record
    header = read_checkpoint(networks.get(name).weights).header
    assert (record.slug, record.spec, record.image) == (header.variant.slug, header.variant, header.image)
    assert record.weights_sha256 == artifacts.sha256_file(networks.get(name).weights)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_files_of_a_network_are_those_of_its_weights_ranges_and_choice(name: str) -> None:
    network = networks.get(name)
    if network.files() is None:
        assert network.record.for_comparison
        assert network.has_weights
        return
    if network.has_weights:
        assert not files_are_stale(network), ANEW
        assert network.targets == kept_targets(network)
    if name in NAMES:
        assert network.targets == SHIPPED_TARGETS
    assert networks.USUAL_TARGET in network.targets
    for target in network.targets:
        contract = read_contract(network.file(target))
        assert (contract.variant, contract.target) == (network.record.spec, target)
        assert contract.golden is not None
        assert networks.name_of_file(artifacts.sha256_file(network.file(target))) == name
    listed = {path.name for path in network.folder.iterdir() if path.suffix in (".onnx", ".ort", ".tflite")}
    made = network.files()
    assert made is not None
    assert {one.file for one in made.files} == listed


def test_what_is_said_of_a_network_is_laid_out_as_it_is_written_now(script: Callable[[Path], ModuleType]) -> None:
    found = dict(script(Path(__file__).parents[1] / "tools" / "records.py").records())
    assert {path.parent.name for path in found} == set(SHIPPED)
    other = [str(path) for path, text in found.items() if path.read_text() != text]
    assert not other, "lay them out anew: python tools/records.py"


def test_files_are_stale_when_a_choice_says_something_else_not_when_it_is_laid_out_otherwise(copied: Path) -> None:
    file = copied / CHOICE_FILE
    told = json.loads(file.read_text())
    file.write_text(json.dumps(told, indent=4))
    assert not files_are_stale(networks.get("micro"))
    file.write_text(json.dumps(told | {"max_fp_share": 0.5}))
    assert files_are_stale(networks.get("micro"))
    file.write_text("{")
    with pytest.raises(OptionError, match=r"choice.json: cannot be read \(not JSON: .*make it again or move it away"):
        files_are_stale(networks.get("micro"))


def test_what_is_converted_for_shipping_names_edgeseg_and_its_licence(tmp_path: Path) -> None:
    network = networks.get("micro")
    (path,) = convert_shipped(("onnx-fp32",), network, tmp_path)
    told = onnx_metadata(path)
    assert (told["model_author"], told["model_license"]) == ("edgeseg", read_contract(path).licence)
    assert networks.author_of(network.record.weights_sha256) == "edgeseg"
    assert networks.author_of("0" * 64) == ""
    (path,) = convert_shipped(("onnx-fp32",), replace(network, own=True), tmp_path)
    assert "model_author" not in onnx_metadata(path)


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


def test_what_is_there_to_be_compared_stands_last(copied: Path) -> None:
    other = copied.with_name("plain")
    shutil.copytree(copied, other)
    record = json.loads((copied / networks.RECORD_FILE).read_text())
    larger = {**record, "name": "plain", "parameters": record["parameters"] + 1}
    for compared, order in ((False, ("plain", "micro")), (True, ("micro", "plain"))):
        (other / networks.RECORD_FILE).write_text(json.dumps({**larger, "for_comparison": compared}))
        assert networks.names() == order


def test_an_altered_file_is_not_run(copied: Path) -> None:
    path = networks.get("micro").file()
    with path.open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ArtifactError, match=r"onnx-int8.onnx was altered: .* 'edgeseg ship'"):
        networks.get("micro").file()
    assert networks.get("micro").file("onnx-fp32").is_file()
    assert files_are_stale(networks.get("micro"))


def test_weights_of_another_network_are_not_taken_for_those_of_a_name(copied: Path) -> None:
    assert networks.get("micro").weights == copied / networks.WEIGHTS_FILE
    (copied / networks.WEIGHTS_FILE).write_bytes(
        (networks.get("micro").folder / networks.WEIGHTS_FILE).read_bytes() + b"x"
    )
    with pytest.raises(ArtifactError, match=r"weights.safetensors was altered: .* 'edgeseg ship'"):
        _ = networks.get("micro").weights


def test_a_missing_file_a_missing_target_and_no_files_are_three_errors(copied: Path) -> None:
    network = networks.get("micro")
    (copied / "tflite-int8.tflite").unlink()
    with pytest.raises(ArtifactError, match=r"tflite-int8.tflite is missing"):
        network.file("tflite-int8")
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
    assert networks.names() == (*NAMES_BY_SIZE, *(("mine",) if file == networks.FILES_FILE else ()), *FAMILIES)
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


def test_one_without_weights_runs_and_says_what_else_needs_them(copied: Path) -> None:
    assert networks.of_variant(networks.get("micro").record.spec) == networks.get("micro")
    (copied / networks.WEIGHTS_FILE).unlink()
    network = networks.get("micro")
    assert not network.has_weights
    assert network.file().is_file()
    (row,) = list_networks().networks
    assert not row.weights
    (mine,) = (row for row in list_variants().variants if row.network == "micro")
    assert not mine.weights
    with pytest.raises(CheckpointError, match=r"'micro' is there as converted files alone.*'command' in .*card.json"):
        _ = network.weights
    with pytest.raises(OptionError, match=r"no file of the target 'onnx-int9'.*without weights to build from"):
        network.file("onnx-int9")
    card = json.loads((copied / networks.CARD_FILE).read_text())
    (copied / networks.CARD_FILE).write_text(json.dumps(card | {"command": "edgeseg train --data DIR"}))
    with pytest.raises(CheckpointError, match=r"train it again: edgeseg train --data DIR\. Then give that run in its"):
        weights_path(Path("micro"))
    (copied / networks.CARD_FILE).write_text("{")
    with pytest.raises(CheckpointError, match="needs; give a run of your own"):
        weights_path(Path("micro"))


def test_of_one_shape_that_is_taken_which_has_weights(own_network: Callable[[str], Path]) -> None:
    (own_network("files") / networks.WEIGHTS_FILE).unlink()
    own_network("whole")
    found = networks.of_variant(networks.get("files").record.spec)
    assert found is not None
    assert found.name == "whole"


def test_a_name_stands_for_its_weights_where_no_such_path_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert weights_path(Path("light")) == networks.get("light").folder
    assert read_checkpoint(weights_path(Path("light"))).path == networks.get("light").weights
    assert weights_path(Path("runs/light")) == Path("runs/light")
    assert weights_path(Path("light.safetensors")) == Path("light.safetensors")
    Path("light").mkdir()
    assert weights_path(Path("light")) == Path("light")


def test_a_word_that_is_no_path_and_no_name_gets_the_nearest_and_the_rule_of_paths() -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint at lihgt, and no network .*run folder.*mean 'light'\?"):
        weights_path(Path("lihgt"))
    with pytest.raises(ArtifactError, match="there can be no file"):
        weights_path(Path("x" * 5000))


def test_make_ship_artifacts_passes_over_what_has_no_weights_and_says_so(
    copied: Path, script: Callable[[Path], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / networks.WEIGHTS_FILE).unlink()
    tool = script(Path(__file__).parents[1] / "tools" / "ship_artifacts.py")
    assert tool._check([networks.get("micro")]) == 0
    assert tool._write([networks.get("micro")], everything=True) == 0
    assert capsys.readouterr().out.count("micro: passed over, it ships without weights") == 2
