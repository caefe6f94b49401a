"""Sealing: damage and mix-ups of an artifact and its contract are told, each in its own words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg.errors import ArtifactError, ContractError
from edgeseg.jsonio import to_json
from edgeseg.runtime import Segmenter, read_contract
from edgeseg.runtime.contract import contract_text
from edgeseg.runtime.seal import check_seal, reserved_text, seal
from edgeseg.specs import Contract

Write = Callable[..., Path]


@pytest.fixture(params=["onnx", "tflite"])
def sealed(request: pytest.FixtureRequest, tiny_onnx: Write, tiny_tflite: Write, tiny_contract: Contract) -> Path:
    layout = {"onnx": "NCHW", "tflite": "NHWC"}[request.param]
    contract = replace(tiny_contract, layout=layout, target=f"{request.param}-fp32")
    path: Path = {"onnx": tiny_onnx, "tflite": tiny_tflite}[request.param](contract=reserved_text(contract))
    text = contract_text(path)
    assert text is not None
    path.write_bytes(seal(path.read_bytes(), text, contract))
    return path


def test_a_sealed_file_reads_runs_and_keeps_its_length(sealed: Path) -> None:
    contract = read_contract(sealed)
    assert contract.content_sha256 is not None
    assert contract.contract_sha256 is not None
    assert Segmenter.load(sealed).contract == contract
    text = contract_text(sealed)
    assert text is not None
    assert seal(sealed.read_bytes(), text, contract) == sealed.read_bytes()


def test_a_changed_byte_of_the_weights_is_told(sealed: Path) -> None:
    content = sealed.read_bytes()
    place = content.index(b"\x00\x00\xa0\x41")  # the weight 20.0
    sealed.write_bytes(content[:place] + b"\x01" + content[place + 1 :])
    with pytest.raises(ArtifactError, match=r"graph or weights are not those .* copy it again"):
        Segmenter.load(sealed)


@pytest.mark.parametrize(("old", "new"), [(b'"threshold":0.5', b'"threshold":0.9'), (b"  ", b" \n")])
def test_a_changed_contract_is_told(sealed: Path, old: bytes, new: bytes) -> None:
    content = sealed.read_bytes()
    assert old in content
    sealed.write_bytes(content.replace(old, new, 1))
    with pytest.raises(ContractError, match="the contract was changed after it was sealed"):
        Segmenter.load(sealed)


def test_the_contract_of_another_model_is_told(sealed: Path, tiny_onnx: Write, tiny_tflite: Write) -> None:
    text = contract_text(sealed)
    assert text is not None
    stored = text.decode()
    write = {".onnx": tiny_onnx, ".tflite": tiny_tflite}[sealed.suffix]
    options = {"size": (16, 24), "weights": (0.0, 21.0, 0.0)} if sealed.suffix == ".onnx" else {"int8": True}
    other = write(f"other{sealed.suffix}", contract=stored, **options)
    with pytest.raises(ArtifactError, match="the contract is another model's"):
        read_contract(other)


@pytest.mark.parametrize("name", ["content_sha256", "contract_sha256"])
def test_a_digest_that_is_none_is_refused(tiny_onnx: Write, tiny_contract: Contract, name: str) -> None:
    plain = json.loads(to_json(tiny_contract)) | {name: "short"}
    with pytest.raises(ContractError, match="64 hex digits"):
        read_contract(tiny_onnx(contract=json.dumps(plain)))


def test_a_contract_of_schema_1_is_still_read(tiny_onnx: Write, tiny_contract: Contract) -> None:
    plain = json.loads(to_json(tiny_contract)) | {"schema_version": 1}
    for name in ("golden", "content_sha256", "contract_sha256"):
        del plain[name]
    read = read_contract(tiny_onnx(contract=json.dumps(plain)))
    assert read == replace(tiny_contract, schema_version=1)


def test_a_contract_must_say_what_the_network_was_trained_on(tiny_onnx: Write, tiny_contract: Contract) -> None:
    plain = json.loads(to_json(tiny_contract))
    del plain["trained_on"]
    with pytest.raises(ContractError, match="missing key 'trained_on'"):
        read_contract(tiny_onnx(contract=json.dumps(plain)))


def test_sealing_needs_its_place(tiny_contract: Contract) -> None:
    text = reserved_text(tiny_contract).encode()
    with pytest.raises(ContractError, match="once and in one piece"):
        seal(b"nothing", text, tiny_contract)
    with pytest.raises(ContractError, match="once and in one piece"):
        seal(text + text, text, tiny_contract)
    tight = to_json(tiny_contract, indent=None).encode()
    with pytest.raises(ContractError, match="are kept for it"):
        seal(tight, tight, tiny_contract)


@pytest.fixture
def beside(tmp_path: Path, tiny_contract: Contract) -> Path:
    path = tmp_path / "contract.json"
    path.write_text(to_json(tiny_contract))
    return path


def test_a_bare_model_runs_with_a_contract_beside_it(tiny_onnx: Write, beside: Path, tiny_contract: Contract) -> None:
    bare = tiny_onnx(contract=None)
    with pytest.raises(ContractError, match="--contract"):
        Segmenter.load(bare)
    assert Segmenter.load(bare, contract=beside).contract == tiny_contract


def test_a_second_contract_is_refused(tiny_onnx: Write, beside: Path) -> None:
    with pytest.raises(ContractError, match="would be a second one"):
        Segmenter.load(tiny_onnx(), contract=beside)


def test_a_contract_beside_a_model_is_held_to_the_model(
    tiny_onnx: Write, beside: Path, tiny_contract: Contract
) -> None:
    beside.write_text(to_json(replace(tiny_contract, content_sha256="0" * 64)))
    with pytest.raises(ContractError, match="written for a model whose SHA-256 is 000000000000"):
        Segmenter.load(tiny_onnx(contract=None), contract=beside)
    beside.write_text("{")
    with pytest.raises(ContractError, match="not JSON"):
        Segmenter.load(tiny_onnx(contract=None), contract=beside)
    with pytest.raises(ContractError, match="cannot read the contract"):
        Segmenter.load(tiny_onnx(contract=None), contract=beside.with_name("absent.json"))


def test_a_file_that_holds_its_contract_twice_was_written_anew(sealed: Path) -> None:
    text, contract = contract_text(sealed), read_contract(sealed)
    assert text is not None
    sealed.write_bytes(sealed.read_bytes() + text)
    with pytest.raises(ContractError, match="written anew after it was sealed"):
        check_seal(sealed, text, contract)
