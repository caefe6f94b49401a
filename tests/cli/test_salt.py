"""Where the salt of `edgeseg run` comes from."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeseg.cli._salt import salt_of
from edgeseg.cli.key import app
from edgeseg.errors import OptionError


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EDGESEG_SALT", raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_remedy_of_the_refusal_works() -> None:
    with pytest.raises(OptionError) as raised:
        salt_of("")
    command = str(raised.value).partition("'edgeseg key ")[2].partition("'")[0].split()
    option = str(raised.value).partition("--salt ")[2].partition(",")[0]
    assert CliRunner().invoke(app, command).exit_code == 0
    salt = salt_of(option)
    assert salt is not None
    assert len(bytes.fromhex(salt)) == 32


def test_without_any_a_new_one_is_drawn_later() -> None:
    assert salt_of(None) is None


def test_it_comes_from_a_file_or_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text, raw = secrets.token_hex(16), b"\xff" + os.urandom(31)
    (tmp_path / "text").write_text(text + "\n")
    (tmp_path / "raw").write_bytes(raw)
    assert salt_of("text") == text
    assert salt_of("raw") == raw.hex()
    monkeypatch.setenv("EDGESEG_SALT", "from the environment, long enough")
    assert salt_of(None) == "from the environment, long enough"
    assert salt_of("text") == text


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\xff" * 40, b"0" * 32, b"0846cbfff1b6bee660e133ccff2ce7"])
def test_an_empty_or_weak_one_is_refused(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weak").write_bytes(content)
    with pytest.raises(OptionError, match="edgeseg key make"):
        salt_of("weak")
    if content.isascii():
        monkeypatch.setenv("EDGESEG_SALT", content.decode())
        with pytest.raises(OptionError, match="edgeseg key make"):
            salt_of(None)


def test_a_salt_on_the_command_line_is_refused_and_not_repeated() -> None:
    given = secrets.token_hex(32)
    with pytest.raises(OptionError, match="names a file") as raised:
        salt_of(given)
    assert given not in str(raised.value)
    with pytest.raises(OptionError, match=r"no regular file|cannot be read"):
        salt_of(".")
