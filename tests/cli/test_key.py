from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeseg.cli.key import app
from edgeseg.errors import CheckFailedError, OutputError
from edgeseg.jsonio import from_json
from edgeseg.place import known_keys
from edgeseg.results import KeyList


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGESEG_PATIENT_KEY", str(tmp_path / "patient.key"))
    return tmp_path / "patient.key"


def test_it_is_made_and_shown_by_its_id_alone(place: Path, check_schema: Callable[[str, str], None]) -> None:
    done = CliRunner().invoke(app, ["show"])
    assert isinstance(done.exception, CheckFailedError)
    assert not place.exists()
    assert CliRunner().invoke(app, ["make"]).stdout == f"made: {place}\n"
    (key,) = known_keys()
    told = CliRunner().invoke(app, ["show"]).stdout
    assert str(place) in told
    assert key.id in told
    assert key.secret.hex() not in told
    told = CliRunner().invoke(app, ["show", "--json"]).stdout
    check_schema("key", told)
    assert from_json(KeyList, told).keys == (key.id,)


def test_one_elsewhere_is_for_its_owner_alone_and_none_is_replaced(place: Path, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["make", str(tmp_path / "salt.key")]).exit_code == 0
    assert stat.S_IMODE((tmp_path / "salt.key").stat().st_mode) == 0o600
    assert not place.exists()
    assert isinstance(CliRunner().invoke(app, ["make", str(tmp_path / "salt.key")]).exception, OutputError)
