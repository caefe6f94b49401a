"""What the image is made of, as far as it can be told without building it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from edgeseg.cli.main import app

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and what stands after them."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def _all(steps: list[tuple[str, str]], word: str) -> list[str]:
    return [rest for known, rest in steps if known == word]


def test_packages_are_locked_and_checked_by_hash(steps: list[tuple[str, str]]) -> None:
    (install,) = [rest for rest in _all(steps, "RUN") if "pip install" in rest]
    assert install.endswith("--only-binary :all: --require-hashes -r /requirements-serve.lock")
    assert not any("apt-get" in rest or "curl" in rest for rest in _all(steps, "RUN"))


def test_both_stages_start_from_one_slim_python_that_edgeseg_supports(steps: list[tuple[str, str]]) -> None:
    (version,) = [rest for rest in _all(steps, "ARG") if rest.startswith("PYTHON=")]
    assert re.fullmatch(r"PYTHON=3\.1[123]-slim-\w+@sha256:[0-9a-f]{64}", version)
    assert {rest.split()[0] for rest in _all(steps, "FROM")} == {"python:${PYTHON}"}


def test_it_does_not_run_as_root(steps: list[tuple[str, str]]) -> None:
    words = [word for word, _ in steps]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", _all(steps, "USER")[-1])
    assert words.index("USER") < words.index("ENTRYPOINT")


def test_what_is_copied_is_there_and_reaches_docker(steps: list[tuple[str, str]]) -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
    sources = [rest.split()[0] for rest in _all(steps, "COPY") if not rest.startswith("--from")]
    assert "${MODEL}" in sources
    for source in set(sources) - {"${MODEL}"}:
        assert (ROOT / source).exists(), source
        assert source in allowed
    (model,) = [rest for rest in _all(steps, "ARG") if rest.startswith("MODEL=")]
    assert re.fullmatch(r"MODEL=models/\w+/onnx-int8\.onnx", model)
    assert (ROOT / model.removeprefix("MODEL=")).is_file()
    assert {"build/**/*.onnx", "models/*/*.onnx"} <= set(allowed)


def test_its_command_is_one_that_edgeseg_takes(steps: list[tuple[str, str]]) -> None:
    (text,) = _all(steps, "ENTRYPOINT")
    python, *command = json.loads(text)
    assert (python, command[:3]) == ("python", ["-m", "edgeseg", "serve"])
    serve = get_command(app).commands["serve"]  # type: ignore[attr-defined]
    parsed = serve.make_context("serve", command[3:]).params
    assert (str(parsed["model"]), parsed["host"], parsed["port"]) == ("/app/model.onnx", "0.0.0.0", 8080)
    (health,) = _all(steps, "HEALTHCHECK")
    compile(json.loads(health[health.index("[") :])[2], "healthcheck", "exec")
