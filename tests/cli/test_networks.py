"""Commands that take a network by its name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import pytest

from edgeseg import networks
from edgeseg.cli._model import artifact, artifacts_of
from edgeseg.cli.main import main
from edgeseg.errors import ArtifactError, UnknownNameError
from edgeseg.networks import Network
from edgeseg.results.schemas import schema
from edgeseg.stages.ship.card import network_card

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def run(*arguments: object) -> object:
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    return ended.value.code


def test_networks_lists_them_within_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run("networks") == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    rows = [line.split() for line in printed.splitlines()]
    for network in networks.every():
        dice = f"{network.record.held_out.dice.mean:.3f}"
        assert any(row[:2] == [network.name, dice] for row in rows)
        assert network.record.slug in printed
    assert "n = 88" in printed


def test_networks_prints_json_with_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("networks", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    jsonschema_rs.validate(schema("networks"), printed)
    for row in printed["networks"]:
        converted = {file["target"] for file in row["files"]}
        assert converted >= {"onnx-int8", "tflite-int8"} or (row["network"]["for_comparison"] and row["weights"])


def test_a_card_tells_when_to_believe_a_network(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for network in networks.every():
        assert run("networks", network.name) == 0
        printed = capsys.readouterr().out
        assert max(map(len, printed.splitlines())) <= 80
        told = " ".join(printed.split())
        assert f"{network.record.held_out.dice.mean:.3f}" in told
        believed = (network.folder / "trust.json").is_file()
        assert ("flagged 'look at this one'" in told) == believed
        assert ("no mask is flagged" in told) != believed
        assert "CC BY-NC-SA 4.0" in told
        assert run("networks", network.name, "--json") == 0
        card = json.loads(capsys.readouterr().out)
        jsonschema_rs.validate(schema("network"), card)
        assert card["command"].startswith("edgeseg train --data DIR")
    assert run("networks", "lihgt") == 2
    assert "Did you mean 'light'?" in capsys.readouterr().err


def test_a_card_has_the_figures_of_trust_and_of_the_worst_subgroup(capsys: pytest.CaptureFixture[str]) -> None:
    network = networks.get("light")
    found = json.loads((network.folder / "trust.json").read_text())
    assert run("networks", "light", "--json") == 0
    card = json.loads(capsys.readouterr().out)
    assert card["trust"]["figures"] == found["figures"]
    assert card["trust"]["odd_told"] == found["inputs"]["told"]
    assert card["trust"]["error_scaled"] == found["reliability"]["error_after"]
    (by_site,) = card["subgroups"]
    worst = next(one for one in by_site["subgroups"] if one["subgroup"] == by_site["worst"])
    assert run("networks", "light") == 0
    printed = capsys.readouterr().out
    assert f"{worst['subgroup']}: {worst['dice']['mean']:.3f}" in printed
    assert f"{found['figures']['poor_flagged']} of these" in printed


def test_a_card_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "light"
    shutil.copytree(networks.get("light").folder, folder)
    (folder / "card.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"card\.json: no card that can be read"):
        network_card(Network(record=networks.get("light").record, folder=folder))


def test_a_name_runs_and_stands_in_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copyfile(GOLDEN / "PHANTOM_PA_2000_26.png", tmp_path / "one_1.png")
    assert run("run", "micro", tmp_path / "one_1.png", "--out", tmp_path / "out") == 0
    assert "micro, onnx-int8.onnx" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["network"] == "micro"
    assert list((tmp_path / "out").rglob("*_mask.png"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("doctor", "micro"), "micro (onnx-int8)"),
        (("doctor", "alphax-0.125-half-w10c6e1"), "micro (onnx-int8)"),
        (("inspect", "micro/onnx-fp32"), "micro (alphax-0.125-half-w10c6e1)"),
        (("contract", "show", "micro"), 'target = "onnx-int8"'),
    ],
    ids=["doctor", "slug", "inspect", "contract"],
)
def test_commands_take_and_print_names(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 0
    assert told in capsys.readouterr().out


def test_an_unknown_name_is_one_error_with_the_nearest(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (("doctor", "mikro"), ("run", "mikro", "x.png", "--out", "m"), ("android", "--network", "mikro")):
        assert run(*command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: unknown network 'mikro'")
        assert line.endswith("Did you mean 'micro'?")
    assert list(tmp_path.iterdir()) == []


def test_a_path_stays_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    assert artifact(Path("tiny")) == networks.get("tiny").file()
    for path in ("model.onnx", "folder/model.onnx", "tiny/model.onnx", "/absent", "a/b/c"):
        assert artifact(Path(path)) == Path(path)
    (tmp_path / "light").write_bytes(b"x")
    assert artifact(Path("light")) == Path("light")
    with pytest.raises(UnknownNameError):
        artifact(Path("absent"))


def test_a_bare_name_is_timed_in_every_format() -> None:
    network = networks.get("micro")
    assert artifacts_of([Path("micro/onnx-int8"), Path("x.onnx")]) == [network.file(), Path("x.onnx")]
    made = network.files()
    assert made is not None
    assert artifacts_of([Path("micro")]) == [network.file(one.target) for one in made.files]


def test_train_and_import_refuse_a_name_that_is_taken(
    tiny_lgg: Path, own_network: Callable[[str], Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own_network("mine")
    for command in (
        ("train", "--data", tiny_lgg, "--name", "mine", "--out", tmp_path / "new"),
        ("train", "--data", tiny_lgg, "--name", "light", "--out", tmp_path / "new"),
        ("import", tmp_path / "x.onnx", "--name", "mine", "--out", tmp_path / "new"),
    ):
        assert run(*command) == 2
        assert "which is taken" in capsys.readouterr().err
    assert run("train", "--data", tiny_lgg, "--name", "other", "--folds", 2, "--out", tmp_path / "new") == 2
    assert "--folds 2 trains several" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_every_network_of_the_users_own_that_is_damaged_is_named(
    own_network: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        (own_network(name) / "network.json").write_text("{")
    assert run("networks") == 2
    told = capsys.readouterr().err
    assert "models/one/network.json is damaged" in told
    assert "models/two/network.json is damaged" in told
