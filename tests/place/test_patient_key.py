"""The site's key file: made once, for its owner alone, and explained where it is missing or damaged."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edgeseg.errors import OptionError, OutputError
from edgeseg.place import key_for, key_place, keys_for, known_keys, make_secret, missing_keys, read_secret
from edgeseg.specs import PatientKey, patient_digest

ELSEWHERE = PatientKey(secret=bytes(32))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys" / "patient.key"
    monkeypatch.setenv("EDGESEG_PATIENT_KEY", str(path))
    return path


def test_it_is_made_on_first_use_for_its_owner_alone(place: Path) -> None:
    key = key_for(("4711042",))
    assert key is not None
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert place.read_text() == key.secret.hex() + "\n"
    assert [path.name for path in place.parent.iterdir()] == ["patient.key"]
    assert key_for(("1",)) == key == known_keys()[0]


def test_public_ids_and_pseudonyms_need_none(place: Path) -> None:
    assert key_for(("TCGA_CS_4941_19960909", "PHANTOM_PA_2000", ELSEWHERE.pseudonym("1"))) is None
    assert keys_for((patient_digest("1"),)) == ()
    assert not place.exists()


def test_processes_that_need_it_at_once_share_one(place: Path) -> None:
    command = [sys.executable, "-c", "from edgeseg.place import key_for; print(key_for(['1']).id)"]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = {child.communicate()[0].strip() for child in children}
    assert told == {known_keys()[0].id}


def test_the_usual_place_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGESEG_PATIENT_KEY")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert key_place() == tmp_path / "edgeseg" / "patient.key"
    monkeypatch.setenv("EDGESEG_PATIENT_KEY", "")
    with pytest.raises(OptionError, match="set and empty"):
        key_place()


def test_every_line_is_a_key_and_the_first_makes(place: Path) -> None:
    first = key_for(("1",))
    with place.open("a") as stream:
        stream.write(f"\n{ELSEWHERE.secret.hex()}\n")
    assert known_keys() == (first, ELSEWHERE)
    assert key_for(("1",)) == first
    assert missing_keys((ELSEWHERE.pseudonym("1"),)) is None


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o620])
def test_a_key_that_others_can_read_is_refused_with_the_remedy(place: Path, mode: int) -> None:
    make_secret(place)
    place.chmod(mode)
    with pytest.raises(OptionError, match="chmod 600") as raised:
        known_keys()
    subprocess.run(str(raised.value).rpartition("run: ")[2], shell=True, check=True)
    assert len(known_keys()) == 1


@pytest.mark.parametrize("content", ["", "\n", "x", "ab" * 31, "ab" * 33, "\0" * 64, "ab" * 32 + " #"])
def test_a_damaged_key_is_explained_and_never_replaced(place: Path, content: str) -> None:
    make_secret(place)
    place.write_text(content)
    with pytest.raises(OptionError, match="backup") as raised:
        key_for(("1",))
    assert len(content) < 9 or content not in str(raised.value)
    assert place.read_text() == content


def test_what_is_no_regular_file_is_refused_at_once(place: Path, tmp_path: Path) -> None:
    place.parent.mkdir()
    os.mkfifo(place)
    with pytest.raises(OptionError, match="no regular file"):
        known_keys()
    with pytest.raises(OptionError, match=r"cannot be read|no regular file"):
        read_secret(tmp_path, what="the salt", private=False)
    long = tmp_path / "long"
    long.write_bytes(bytes(1 << 20))
    with pytest.raises(OptionError, match="64 KiB"):
        read_secret(long, what="the salt", private=False)


def test_a_key_is_never_written_over(place: Path) -> None:
    content = make_secret(place).read_bytes()
    with pytest.raises(OutputError, match="never overwritten"):
        make_secret(place)
    assert place.read_bytes() == content


def test_without_hard_links_it_is_made_all_the_same(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    content = make_secret(place).read_bytes()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    with pytest.raises(OutputError, match="never overwritten"):
        make_secret(place)
    assert place.read_bytes() == content
    assert [path.name for path in place.parent.iterdir()] == ["patient.key"]


def test_where_none_can_be_made_the_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EDGESEG_PATIENT_KEY", str(tmp_path / "file" / "patient.key"))
    with pytest.raises(OutputError, match="EDGESEG_PATIENT_KEY"):
        key_for(("1",))


def test_a_missing_key_is_explained(place: Path) -> None:
    said = missing_keys((ELSEWHERE.pseudonym("1"), patient_digest("2")))
    assert said is not None
    assert ELSEWHERE.id in said
    assert f"there is no key at {place}" in said
    own = key_for(("1",))
    assert own is not None
    said = missing_keys((ELSEWHERE.pseudonym("1"),))
    assert said is not None
    assert f"{place} holds {own.id}" in said
    assert own.secret.hex() not in said
