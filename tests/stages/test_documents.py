"""Every document that a user writes or keeps is read in the same encodings, and refused in one line in others."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeseg import artifacts, jsonio, networks
from edgeseg.data.split import read_split
from edgeseg.errors import ArtifactError, EdgeSegError
from edgeseg.jsonio import to_json
from edgeseg.recipes.chain_file import read_chain
from edgeseg.reports.table import spliced
from edgeseg.runtime.contract import read_contract_file
from edgeseg.specs import Contract
from edgeseg.stages.calibrate import ranges_beside
from edgeseg.stages.calibrate.manifest import read_calibration
from edgeseg.stages.check.baseline import read_baseline
from edgeseg.stages.choose import choice_for, read_choice
from edgeseg.stages.experiments.plan import read_plan
from edgeseg.stages.experiments.run import read_log
from edgeseg.stages.segment.summary import read_rows
from edgeseg.stages.train import read_history
from edgeseg.stages.trust import trust_for

ROOT = Path(__file__).resolve().parents[2]
CHOICE, NETWORK = "alphax-0.125-half", "light"
CHAIN = '# Größe\ntargets = ["tflite-int8"]\n\n[[step]]\nrecipe = "channel-prune"\nmacs = 0.5\n'
READERS: dict[str, Callable[[Path], Any]] = {
    "chain.toml": read_chain,
    "plan.toml": read_plan,
    "split.json": read_split,
    "choice.json": lambda path: read_choice(path, variant=CHOICE),
    "calibration.json": read_calibration,
    "baseline.json": read_baseline,
}
WRITTEN: dict[str, Callable[[Path], Any]] = {
    "build.json": artifacts.read_build,
    "log.json": lambda path: read_log(path, data="any"),
    "summary.json": lambda path: read_rows(path.parent),
    "page.md": lambda path: spliced("", path),
}
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8 with a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "a mark and CRLF": lambda text: codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode(),
    "UTF-16 LE": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16 BE with CRLF": lambda text: codecs.BOM_UTF16_BE + text.replace("\n", "\r\n").encode("utf-16-be"),
}
DEPTH = 100_000
REFUSED: dict[str, tuple[Callable[[str], bytes], str]] = {
    "Latin-1": (lambda text: f"{text}\n# é".encode("latin-1", "replace"), r"not UTF-8 text .byte \d+ is 0x[EF][0-9]"),
    "UTF-32": (lambda text: codecs.BOM_UTF32_LE + text.encode("utf-32-le"), "in UTF-32; save it as UTF-8"),
    "UTF-16 without a mark": (lambda text: text.encode("utf-16-le"), "without a byte order mark"),
    "half of UTF-16": (lambda _: codecs.BOM_UTF16_LE + b"a", "not UTF-16"),
    "deep": (lambda _: b"a = " + b"[" * DEPTH + b"]" * DEPTH, "nested too deeply|not JSON|not TOML|damaged"),
    "deep JSON": (lambda _: b'{"a":' * DEPTH + b"1" + b"}" * DEPTH, "nested too deeply|not JSON|not TOML|damaged"),
    "thousands of digits": (lambda _: b'{"a": ' + b"1" * 9000 + b"}", "digits|not TOML"),
    "a number of thousands of digits": (lambda _: b"a = " + b"1" * 9000, "digits|not JSON"),
    "nothing": (lambda _: b"", "."),
    "zeros": (lambda _: bytes(500), "."),
}


@pytest.fixture
def texts(make_calibration: str) -> dict[str, str]:
    plan = (ROOT / "benchmarks" / "experiments.toml").read_text()
    return {
        "chain.toml": CHAIN,
        "plan.toml": plan,
        "split.json": (ROOT / "calibration" / "splits" / "tcga-lgg-folds5.json").read_text(),
        "choice.json": (ROOT / "models" / NETWORK / "choice.json").read_text(),
        "calibration.json": make_calibration,
        "baseline.json": (ROOT / ".ci" / "baseline.json").read_text(),
    }


@pytest.fixture
def make_calibration() -> str:
    return next((ROOT / "calibration" / "sets").glob("*.json")).read_text()


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", READERS)
def test_an_encoding_is_read_everywhere(texts: dict[str, str], tmp_path: Path, name: str, encoding: str) -> None:
    plain = READERS[name](put(tmp_path / name, texts[name].encode()))
    assert READERS[name](put(tmp_path / name, ENCODINGS[encoding](texts[name]))) == plain


@pytest.mark.parametrize("damage", REFUSED)
@pytest.mark.parametrize("name", READERS)
def test_another_is_refused_in_one_line_everywhere(
    texts: dict[str, str], tmp_path: Path, name: str, damage: str
) -> None:
    make, message = REFUSED[damage]
    with pytest.raises(EdgeSegError, match=message) as caught:
        READERS[name](put(tmp_path / name, make(texts[name])))
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize("name", READERS)
def test_a_document_without_end_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonio, "MAX_DOCUMENT_BYTES", 1 << 20)
    (tmp_path / name).write_bytes(b" " * (2 << 20))
    with pytest.raises(EdgeSegError, match="longer than 1 MB"):
        READERS[name](tmp_path / name)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(EdgeSegError, match="a pipe, a device or a socket"):
        READERS[name](tmp_path / name)


@pytest.mark.parametrize("kind", ["a pipe", "a device"])
@pytest.mark.parametrize("name", WRITTEN)
def test_what_edgeseg_wrote_is_not_read_without_end_either(name: str, kind: str, tmp_path: Path) -> None:
    if kind == "a pipe":
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(EdgeSegError, match="a pipe, a device or a socket"):
        WRITTEN[name](tmp_path / name)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_contract_beside_a_model_too(
    tiny_onnx: Callable[..., Path], tiny_contract: Contract, tmp_path: Path, encoding: str
) -> None:
    model = tiny_onnx(contract=None)
    path = put(tmp_path / "contract.json", ENCODINGS[encoding](to_json(tiny_contract)))
    assert read_contract_file(path, model) == tiny_contract
    for damage in ("Latin-1", "deep JSON", "thousands of digits"):
        make, message = REFUSED[damage]
        with pytest.raises(EdgeSegError, match=message):
            read_contract_file(put(path, make(to_json(tiny_contract))), model)


BESIDE: dict[str, Callable[[Path], Any]] = {
    "choice.json": lambda run: choice_for(run, variant=CHOICE, weights_sha256="0"),
    "trust.json": lambda run: trust_for(run, weights_sha256="0"),
    "ranges.json": lambda run: ranges_beside(run / "weights.safetensors"),
}
UNREADABLE: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a link to itself": lambda path: path.symlink_to(path),
}


@pytest.mark.parametrize("how", UNREADABLE)
@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_beside_weights_and_cannot_be_read_is_not_passed_over(tmp_path: Path, name: str, how: str) -> None:
    assert BESIDE[name](tmp_path) is None
    UNREADABLE[how](tmp_path / name)
    with pytest.raises(EdgeSegError, match=name):
        BESIDE[name](tmp_path)


@pytest.mark.parametrize("how", UNREADABLE)
def test_nor_is_what_says_which_network_a_folder_holds(own_network: Callable[[str], Path], how: str) -> None:
    folder = own_network("mine")
    UNREADABLE[how](folder / networks.FILES_FILE)
    with pytest.raises(ArtifactError, match=r"artifacts\.json is damaged"):
        networks.get("mine").files()
    (folder / networks.RECORD_FILE).unlink()
    UNREADABLE[how](folder / networks.RECORD_FILE)
    assert list(networks.damaged()) == ["mine"]


@pytest.mark.parametrize("card", ["[]", "7", "null", "{}", '{"history": 7}', '{"history": [], "history": []}', "{"])
def test_a_damaged_card_is_told_of_in_plain_words(tmp_path: Path, card: str) -> None:
    artifacts.write_text(tmp_path / networks.CARD_FILE, card)
    with pytest.raises(EdgeSegError, match=r"card\.json is damaged") as caught:
        read_history(tmp_path)
    assert "subscriptable" not in str(caught.value)
    assert "indices" not in str(caught.value)


@pytest.mark.parametrize("file", [networks.RECORD_FILE, networks.FILES_FILE])
def test_a_network_of_another_schema_is_refused(own_network: Callable[[str], Path], file: str) -> None:
    folder = own_network("mine")
    files = {"files": [], "weights_sha256": "0", "ranges_sha256": "0", "choice_sha256": ""}
    told = json.loads((folder / file).read_text()) if file == networks.RECORD_FILE else files
    artifacts.write_text(folder / file, json.dumps({**told, "schema_version": 99}))
    with pytest.raises(ArtifactError, match=rf"{file} is damaged .it has schema version 99 and this edgeseg reads 1"):
        networks.get("mine").files()


def test_a_log_of_another_schema_is_refused(tmp_path: Path) -> None:
    artifacts.write_text(tmp_path / "log.json", '{"data": "any", "schema_version": 99}')
    with pytest.raises(EdgeSegError, match="it has schema version 99"):
        read_log(tmp_path / "log.json", data="any")
