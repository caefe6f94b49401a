from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeseg.cli.main import app
from edgeseg.errors import ArtifactError, OptionError
from edgeseg.stages import ship

ROOT = Path(__file__).resolve().parents[2]


def test_one_network_can_be_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["web", "--network", "alphax-light", "--artifact", "x.onnx", "--out", str(tmp_path)])
    assert isinstance(done.exception, OptionError)
    assert "leave one of them out" in str(done.exception)


def test_a_file_that_is_given_as_a_name_is_told_its_option(tmp_path: Path) -> None:
    model = tmp_path / "mine.onnx"
    model.write_bytes(b"")
    done = CliRunner().invoke(app, ["web", "--network", str(model), "--out", str(tmp_path / "page")])
    assert isinstance(done.exception, OptionError)
    assert f"give it as: --artifact {model}" in str(done.exception)


def test_a_page_that_was_not_built_is_told_with_what_to_do(tmp_path: Path, tiny_onnx: Callable[..., Path]) -> None:
    words = ["web", "--artifact", str(tiny_onnx()), "--out", str(tmp_path / "out"), "--page", str(tmp_path)]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, ArtifactError)
    assert "run: make web" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_it_says_what_the_page_holds(
    tmp_path: Path, tiny_onnx: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "built"
    page.mkdir()
    for name in ("index.html", "sw.js", "onnxruntime-abc.js", "litert-abc.js"):
        (page / name).write_text("edgeseg")
    monkeypatch.setattr(ship.site, "SHOWN", ())
    words = ["web", "--artifact", str(tiny_onnx()), "--out", str(tmp_path / "out"), "--page", str(page)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "run by onnxruntime" in done.stdout
    assert "with --serve" in done.stdout
    assert (tmp_path / "out" / "site.json").is_file()
    words = ["web", "--network", "light/tflite-int8", "--out", str(tmp_path / "other"), "--page", str(page)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "run by litert" in done.stdout
    assert [path.name for path in (tmp_path / "other").glob("litert-*.js")] == ["litert-abc.js"]


def test_a_target_that_a_network_has_not_is_told_with_what_it_has(tmp_path: Path) -> None:
    words = ["web", "--network", "light/tflite-int16", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, OptionError)
    assert "has no file of the target 'tflite-int16'; choose one of: onnx-fp32" in str(done.exception)


def test_the_lock_of_the_page_pins_everything_and_names_no_address() -> None:
    import json

    package = json.loads((ROOT / "web" / "package.json").read_text())
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())
    asked = {**package["dependencies"], **package["devDependencies"]}
    assert all(version[0].isdigit() for version in asked.values())
    found = {name: one for name, one in lock["packages"].items() if name}
    assert all("integrity" in one and "resolved" not in one for one in found.values())
    assert {name: found[f"node_modules/{name}"]["version"] for name in asked} == asked
