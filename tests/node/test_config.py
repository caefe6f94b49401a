"""What `node.toml` may say: every mistake is one line that names it, and exit code 2."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeseg.cli.main import app
from edgeseg.errors import OptionError
from edgeseg.node.config import check_places, folder_options, read_config

GOOD = """
state = "state"
silence_s = 5
[[peers]]
ae_title = "PACS"
address = "10.1.0.0/16"
[[destinations]]
name = "pacs"
kind = "dicom"
ae_title = "PACS"
address = "pacs.example"
port = 104
[[destinations]]
name = "web"
kind = "stow"
url = "https://pacs.example/dicom-web"
token_file = "token"
send = ["seg", "sr"]
"""
BAD = {
    "an unknown key": ('silence_s = 5', 'silence = 5', "unknown key 'silence'"),
    "an unknown key of a destination": ('port = 104', 'ports = 104', "unknown key 'ports'"),
    "another type": ('silence_s = 5', 'silence_s = "5"', "expected float"),
    "out of range": ('silence_s = 5', 'silence_s = 0', "it lies between"),
    "a long title": ('ae_title = "PACS"', 'ae_title = "PACS OF THE WHOLE TOWN"', "1 to 16 characters"),
    "a title with a backslash": ('ae_title = "PACS"', "ae_title = 'A\\B'", "1 to 16 characters"),
    "a peer by name": ('"10.1.0.0/16"', '"pacs.example"', "give an IP address"),
    "a network with host bits": ('"10.1.0.0/16"', '"10.1.2.3/16"', "give an IP address"),
    "no such kind": ('kind = "stow"', 'kind = "ftp"', "choose dicom, stow, folder"),
    "a key of another kind": ('kind = "dicom"', 'kind = "folder"', "does not take"),
    "a url with a user": ('https://pacs', 'https://me:secret@pacs', "no root of DICOMweb"),
    "a result that is none": ('"sr"]', '"pdf"]', "names some of seg, sr, sc"),
    "two of one name": ('name = "web"', 'name = "pacs"', "two destinations have one name"),
    "no TOML": ('state = "state"', 'state = ', "not TOML"),
}  # fmt: skip


def test_a_good_one_is_read_and_its_files_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text(GOOD)
    found = read_config(tmp_path / "node.toml")
    assert found.state == str(tmp_path / "state")
    assert found.destinations[1].token_file == str(tmp_path / "token")
    assert found.destinations[1].send == ("seg", "sr")
    assert [found.peers[0].has(one) for one in ("10.1.9.9", "10.2.0.1", "::ffff:10.1.0.1", "::1")] == [
        True, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["state", "token_file"])
def test_a_file_that_cannot_be_called_so(tmp_path: Path, key: str) -> None:
    (tmp_path / "node.toml").write_text(GOOD.replace(f'{key} = "', f'{key} = "a\\u0000'))
    with pytest.raises(OptionError, match="no file can be called so"):
        read_config(tmp_path / "node.toml")


@pytest.mark.parametrize(
    ("watch", "out", "told"),
    [("in", "in", "take its own files"), ("in", "in/out", "take its own files"), ("in", "out", "")],
    ids=["the same", "inside", "apart"],
)
def test_a_node_does_not_watch_where_it_writes(tmp_path: Path, watch: str, out: str, told: str) -> None:
    (tmp_path / watch).mkdir()
    if not told:
        check_places(folder_options(tmp_path / out), tmp_path / watch)
        return
    with pytest.raises(OptionError, match=told):
        check_places(folder_options(tmp_path / out), tmp_path / watch)


def test_results_do_not_lie_among_the_files_that_a_node_tidies(tmp_path: Path) -> None:
    options = folder_options(tmp_path / "out")
    inside = replace(options.destinations[0], folder=f"{options.state}/in")
    with pytest.raises(OptionError, match="in the folder of 'state'"):
        check_places(replace(options, destinations=(inside,)), None)


@pytest.mark.parametrize("what", BAD)
def test_a_mistake_is_one_error(tmp_path: Path, what: str) -> None:
    before, after, told = BAD[what]
    assert before in GOOD
    (tmp_path / "node.toml").write_text(GOOD.replace(before, after))
    with pytest.raises(OptionError, match=told) as caught:
        read_config(tmp_path / "node.toml")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("x.onnx",), "--config"),
        (("x.onnx", "--config", "none.toml"), "cannot be read"),
        (("x.onnx", "--config", "none.toml", "--out", "out"), "beside --config"),
        (("status", "--config", "none.toml"), "cannot be read"),
        (("forget", "--config", "none.toml", "1"), "cannot be read"),
    ],
    ids=["no config", "no file", "out and config", "status", "forget"],
)
def test_the_command_says_what_is_missing(words: tuple[str, ...], told: str) -> None:
    ended = CliRunner().invoke(app, ["node", *words])
    assert isinstance(ended.exception, OptionError)
    assert told in str(ended.exception)


def test_a_queue_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text(GOOD)
    ended = CliRunner().invoke(app, ["node", "status", "--config", str(tmp_path / "node.toml")])
    assert "there is no queue" in str(ended.exception)
    assert not (tmp_path / "state").exists()
