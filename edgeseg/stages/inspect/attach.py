"""Put a contract into a model file that carries none, or beside it; what the model computes stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.errors import ArtifactError, OptionError, OutputError
from edgeseg.jsonio import to_json
from edgeseg.runtime import Segmenter
from edgeseg.runtime.contract import CONTRACT_KEY, contract_text, model_format
from edgeseg.runtime.model_files import model_files, model_sha256
from edgeseg.runtime.seal import reserved_text, seal
from edgeseg.runtime.self_test import make_case
from edgeseg.specs import Contract

BESIDE = ".contract.json"
_METADATA_FIELD, _BYTES = 14, 2
_ALIGNED = b"TFL3"


def attach(model: Path, document: Path, *, out: Path | None = None) -> Path:
    """Write a copy of a model with a contract inside, sealed as what edgeseg builds is.

    The contract is held against the graph first. A golden case is drawn on this host, on one thread.

    Args:
        model: `.onnx` or `.tflite`, without a contract.
        document: the contract, JSON or TOML.
        out: where the copy goes; in the model's own place unless given.

    Raises:
        ContractError: when the contract cannot be honoured, contradicts the graph, or the model has one.
        ArtifactError: when the model is missing or damaged.
        OptionError: for a format that nothing can be put into, or weights that would lie elsewhere.
        OutputError: when the place cannot be written.
    """
    write = _writer(model)
    place = model if out is None else out
    weights = model_files(model)[1:]
    if place.suffix.lower() != model.suffix.lower():
        raise OptionError(f"--out {place} ends otherwise than {model}; give a name that ends in {model.suffix}")
    if weights and place.parent.resolve() != model.parent.resolve():
        raise OptionError(f"{model} keeps weights in files beside it; give an --out in the same folder")
    contract = replace(_checked(model, document).contract, content_sha256=None, contract_sha256=None, golden=None)
    text = reserved_text(contract.versioned())
    with artifacts.staged(place) as temporary:
        artifacts.write_bytes(temporary, write(model.read_bytes(), text.encode()))
        _seal(temporary, weights)
    return place


def write_beside(model: Path, document: Path, *, out: Path | None = None) -> Path:
    """Write a contract for `--contract` into a file of its own, as JSON, pinned to the model by its SHA-256.

    Raises:
        ContractError: when the contract cannot be honoured, contradicts the graph, or the model has one.
        ArtifactError: when the model is missing or damaged.
        OutputError: when the place is taken or cannot be written.
    """
    place = model.with_name(model.name + BESIDE) if out is None else out
    if place.exists():
        raise OutputError(f"{place} is there already; choose another place with --out, or remove it first")
    contract = replace(_checked(model, document).contract, content_sha256=model_sha256(model)).versioned()
    return artifacts.write_text(place, to_json(contract) + "\n")


def check_contract(model: Path, document: Path | None = None) -> Contract:
    """Hold a model to its contract, or to one in a file of its own: seal, both ends, and one black slice run through.

    Raises:
        ContractError: when it cannot be honoured, contradicts the graph, or the model gives what it does not say.
        ArtifactError: when the model is missing or damaged.
    """
    import numpy as np

    opened = Segmenter.load(model, threads=1, contract=document)
    contract = opened.contract
    opened.logits(np.zeros((1, contract.height, contract.width, len(contract.channels)), np.uint8))
    return contract


def _checked(model: Path, document: Path) -> Segmenter:
    """Open a model with the contract of a document, once it has run."""
    check_contract(model, document)
    return Segmenter.load(model, threads=1, contract=document)


def _writer(model: Path) -> Callable[[bytes, bytes], bytes]:
    suffix = model_format(model)
    if suffix not in _WRITERS:
        raise OptionError(f"{model}: nothing can be put into a {suffix} file; write the contract beside it: --beside")
    return _WRITERS[suffix]


def _seal(path: Path, weights: tuple[Path, ...]) -> None:
    text = contract_text(path)
    assert text is not None
    opened = Segmenter.load(path, threads=1)
    made_with = f"{opened.runtime}, {opened.numerics}"
    golden = make_case(opened.logits, opened.contract, made_with=made_with, step=opened.logit_step)
    sealed = seal(path.read_bytes(), text, replace(opened.contract, golden=golden), weights)
    del opened
    path.write_bytes(sealed)


def _onnx(content: bytes, text: bytes) -> bytes:
    """Append a metadata property; a protocol buffer is the sum of its parts, so the rest is not touched."""
    entry = _field(1, CONTRACT_KEY.encode()) + _field(2, text)
    return content + _field(_METADATA_FIELD, entry)


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | _BYTES]) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])


def _tflite(content: bytes, text: bytes) -> bytes:
    """Add a buffer and a metadata entry."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    if int.from_bytes(content[:4], "little") > len(content):
        raise ArtifactError("not a readable TFLite model; copy it again")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    if any(buffer.offset for buffer in model.buffers):
        raise OptionError("a TFLite file with weights behind its graph takes no contract; write it beside: --beside")
    buffer = schema.BufferT()
    buffer.data = text
    entry = schema.MetadataT()
    entry.name, entry.buffer = CONTRACT_KEY.encode(), len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(content) + len(text))
    builder.Finish(model.Pack(builder), _ALIGNED)
    return bytes(builder.Output())


_WRITERS: dict[str, Callable[[bytes, bytes], bytes]] = {".onnx": _onnx, ".tflite": _tflite}
