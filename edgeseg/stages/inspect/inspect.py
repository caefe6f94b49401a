"""Take a model file apart: its contract, operations, weights, and who runs what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeseg.errors import ArtifactError, EdgeSegError
from edgeseg.results import GraphFacts, Inspection
from edgeseg.runtime.contract import SUFFIXES, contract_text, model_format, parse_contract, unknown_format
from edgeseg.runtime.model_files import model_files, model_sha256, model_size_bytes
from edgeseg.specs import Contract
from edgeseg.stages.inspect.keras import keras_facts
from edgeseg.stages.inspect.onnx import onnx_facts, ort_facts
from edgeseg.stages.inspect.tflite import tflite_facts
from edgeseg.targets import open_artifact
from edgeseg.targets.keras_fp32 import keras_contract_text

Facts = Callable[[Path], GraphFacts]
_FORMATS: dict[str, tuple[str, Facts, Callable[[Path], bytes | None]]] = {
    ".onnx": ("ONNX", onnx_facts, contract_text),
    ".ort": ("ORT", ort_facts, contract_text),
    ".tflite": ("TFLite", tflite_facts, contract_text),
    ".hdf5": ("Keras HDF5", keras_facts, keras_contract_text),
}


def inspect(path: Path, *, contract: Path | None = None) -> Inspection:
    """Take a model file apart, whether it carries a contract or not.

    Args:
        path: a `.onnx`, `.ort`, `.tflite` or `.hdf5` file.
        contract: a JSON or TOML file with the contract of a model that carries none.

    Raises:
        ArtifactError: when the file is missing, damaged, or of another format.
        ContractError: when the contract of `contract` cannot be honoured, or the model carries one already.
        MissingExtraError: when what reads the format is not installed.
    """
    name, facts, text_of = _format(path)
    graph = facts(path)
    text = text_of(path)
    if contract is None:
        told, fault = _contract(text, path)
    else:
        told, fault = open_artifact(path, threads=1, contract=contract).contract, None
    size = model_size_bytes(path)
    counted = [operation.macs for operation in graph.operations]
    known = [macs for macs in counted if macs is not None]
    stored = sum(w.size_bytes for w in graph.weights) + sum(m.size_bytes for m in graph.metadata)
    return Inspection(
        file=path.name,
        weight_files=tuple(one.name for one in model_files(path)[1:]),
        format=name,
        size_bytes=size,
        sha256=model_sha256(path),
        contract=told,
        contract_fault=fault,
        sealed=told is not None and told.content_sha256 is not None and told.contract_sha256 is not None,
        macs=sum(known) if known and len(known) == len(counted) else None,
        structure_bytes=size - stored,
        graph=graph,
    )


def _format(path: Path) -> tuple[str, Facts, Callable[[Path], bytes | None]]:
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise unknown_format(path, tuple(_FORMATS))
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ArtifactError(
            f"{path}: the model {what}; give the path of a {suffix} file, or make one with: edgeseg build"
        )
    if suffix in SUFFIXES:
        model_format(path)
    return _FORMATS[suffix]


def _contract(text: bytes | None, path: Path) -> tuple[Contract | None, str | None]:
    if text is None:
        return None, None
    try:
        return parse_contract(text, path), None
    except EdgeSegError as error:
        return None, str(error)
