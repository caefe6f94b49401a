"""Read the contract that an artifact carries, without TensorFlow and without the `onnx` package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeseg.errors import ArtifactError, ContractError, OptionError
from edgeseg.jsonio import JsonFormatError, from_plain, parse_json
from edgeseg.runtime.contract_file import read_contract_document, read_contract_plain
from edgeseg.runtime.kinds import stranger
from edgeseg.runtime.litert_session import LitertSession, open_litert
from edgeseg.runtime.model_files import model_sha256
from edgeseg.runtime.onnx_session import BARE, computes_dynamic, computes_int8, metadata_of, open_onnx
from edgeseg.runtime.seal import check_seal
from edgeseg.specs import NEWEST_CONTRACT_SCHEMA_VERSION, Contract
from edgeseg.specs.contract import LAYOUTS

CONTRACT_KEY = "edgeseg.contract"
AUTHOR_KEY, LICENCE_KEY = "model_author", "model_license"
"""What the ONNX specification calls these in a model's metadata."""
SUFFIXES = (".onnx", ".ort", ".tflite")
"""What ONNX Runtime opens; `.ort` is its own format, which needs no reader of ONNX."""
_KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")
_MOST_CHANNELS = 8
"""More than an image of sequences has, and fewer than an image has pixels along a side."""
_USUAL = {".tflite": LAYOUTS[1]}
_TFLITE_IDENTIFIER = b"TFL3"
_MAX_METADATA_ENTRIES = 1024


def read_contract(path: Path) -> Contract:
    """Read the contract of a `.onnx`, `.ort` or `.tflite` artifact.

    ONNX, ORT: the model's metadata property `edgeseg.contract`. TFLite: the buffer of the metadata entry of that name.

    Raises:
        ArtifactError: when the file is missing, damaged, or of another format.
        ContractError: when it carries no contract, one that cannot be read, or one of a newer schema.
        MissingExtraError: for `.tflite` without ai-edge-litert.
    """
    text = contract_text(path)
    if text is None:
        raise ContractError(
            f"{path}: the model carries no contract (metadata '{CONTRACT_KEY}'), so its channels, scaling and "
            "threshold are unknown; build it with: edgeseg build, or give it one with --contract (edgeseg contract "
            "show writes a template)"
        )
    return parse_contract(text, path)


def contract_text(path: Path) -> bytes | None:
    """Return the text of the contract as it stands in a `.onnx`, `.ort` or `.tflite` file; None where there is none.

    Raises:
        ArtifactError: when the file is missing, damaged, or of another format.
        MissingExtraError: for `.tflite` without ai-edge-litert.
    """
    if model_format(path) == ".tflite":
        return _tflite_entry(path)
    text = onnx_metadata(path).get(CONTRACT_KEY)
    return None if text is None else text.encode()


def read_contract_file(contract: Path, model: Path) -> Contract:
    """Read a contract that lies beside a model, as JSON or TOML, because the model carries none.

    Layout and target are those of the model where it leaves them out. A `content_sha256` in it is held to the SHA-256
    of the model, `model_sha256`.

    Raises:
        ContractError: when the file cannot be read or honoured, was made for another model, or the model has its own.
        ArtifactError: when the model is missing or damaged.
    """
    read_contract_plain(contract)
    if contract_text(model) is not None:
        raise ContractError(
            f"{model}: the model carries a contract, and {contract} would be a second one; leave --contract out"
        )
    found = read_contract_document(contract, told=_told(model))
    if found.content_sha256 is not None and model_sha256(model) != found.content_sha256:
        raise ContractError(
            f"{contract}: written for a model whose SHA-256 is {found.content_sha256[:12]}..., and that of {model} is "
            "another; give the contract of this model, or write a new one with: edgeseg contract show"
        )
    return found


def _told(model: Path) -> dict[str, str]:
    """Return what a model itself tells of its contract: its target, and its layout where the shape of its input does.

    Where either axis could be that of the channels there is no layout; where none could, the format's own is told, so
    that what does not fit is said of the shape.
    """
    suffix = model_format(model)
    if suffix == ".tflite":
        opened = LitertSession(model, threads=1)
        shape, precision = opened.input.shape, opened.precision
    else:
        inputs = open_onnx(model, mode=BARE, threads=1).get_inputs()
        shape = tuple(inputs[0].shape) if len(inputs) == 1 else ()
        precision = "dynamic" if computes_dynamic(model) else "int8" if computes_int8(model) else "fp32"
    found = {"target": f"{suffix.removeprefix('.')}-{precision}"}
    sides = [shape[place] for place in (1, 3)] if len(shape) == 4 else [0, 0]
    few = [isinstance(side, int) and 0 < side <= _MOST_CHANNELS for side in sides]
    if few[0] != few[1]:
        return found | {"layout": LAYOUTS[0] if few[0] else LAYOUTS[1]}
    known = all((isinstance(side, int) and side > _MOST_CHANNELS) or side == 0 for side in sides)
    return found | ({"layout": _USUAL.get(suffix, LAYOUTS[0])} if known else {})


def unknown_format(path: Path, known: Sequence[str]) -> ArtifactError:
    """Return the error for a file whose name ends in none of `known`, with the way from a Keras network to a model."""
    wanted = f"{', '.join(known[:-1])} or {known[-1]}"
    way = ""
    if not path.exists():
        way = "; there is nothing at this path either"
    elif path.suffix.lower() in _KERAS_SUFFIXES or (path / "saved_model.pb").is_file():
        way = "; make one of this network with: edgeseg build --from"
    elif (path / "weights.safetensors").is_file():
        way = f"; make one of this run with: edgeseg build --from {path}"
    return ArtifactError(f"{path}: cannot tell the format of '{path.name}'; a model is a file {wanted}{way}")


def model_format(path: Path) -> str:
    """Return the format of a model file, one of `SUFFIXES`, by its name.

    Raises:
        ArtifactError: when there is no such file, its name ends otherwise, or it is known to be something else.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise unknown_format(path, SUFFIXES)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ArtifactError(
            f"{path}: the model {what}; give the path of a {suffix} file, or make one with: edgeseg build"
        )
    if (told := stranger(path, suffix)) is not None:
        raise ArtifactError(f"{path}: {told}")
    return suffix


def onnx_metadata(path: Path) -> dict[str, str]:
    """Return the metadata properties of an ONNX or ORT file.

    Raises:
        ArtifactError: when ONNX Runtime cannot load the file.
    """
    session = open_onnx(path, mode=BARE, threads=1)
    return metadata_of(session, path)


def parse_contract(text: str | bytes, path: Path) -> Contract:
    """Read the contract of the artifact at `path` from its text, and hold the file to the digests in it.

    Raises:
        ContractError: when it is not JSON, has not the shape of a contract, is of a newer schema, or was changed.
        ArtifactError: when the rest of the file is not what was sealed.
    """
    stored = text.encode() if isinstance(text, str) else text
    contract = _parse(stored, path)
    check_seal(path, stored, contract)
    return contract


def _parse(text: bytes, path: Path) -> Contract:
    try:
        plain = parse_json(text)
    except ValueError as error:
        raise ContractError(f"{path}: the contract cannot be read ({error}); build the model again") from error
    version = plain.get("schema_version") if isinstance(plain, dict) else None
    if isinstance(version, int) and version > NEWEST_CONTRACT_SCHEMA_VERSION:
        raise ContractError(
            f"{path}: the contract has schema version {version} and this edgeseg reads up to "
            f"{NEWEST_CONTRACT_SCHEMA_VERSION}; update edgeseg, or build the model again with this one"
        )
    try:
        return from_plain(Contract, plain)
    except (JsonFormatError, OptionError) as error:
        raise ContractError(f"{path}: the contract cannot be honoured ({error}); build the model again") from error


def _tflite_entry(path: Path) -> bytes | None:
    open_litert(path, threads=1, delegates=False)
    from ai_edge_litert import schema_py_generated as schema

    try:
        return _find_entry(path.read_bytes(), schema)
    except Exception as error:
        raise ArtifactError(
            f"{path}: not a readable TFLite model ({type(error).__name__}: {error}); the file is damaged or cut short, "
            "so copy it again or build it again"
        ) from error


def _find_entry(data: bytes, schema: Any) -> bytes | None:
    """Walk Model -> metadata -> buffer; damaged offsets make the flatbuffers library raise whatever it likes."""
    if data[4:8] != _TFLITE_IDENTIFIER:
        raise ValueError("the file identifier is not TFL3")
    model = schema.Model.GetRootAs(data, 0)
    count = model.MetadataLength()
    if count > _MAX_METADATA_ENTRIES:
        raise ValueError(f"{count} metadata entries")
    for index in range(count):
        entry = model.Metadata(index)
        if entry.Name() == CONTRACT_KEY.encode():
            content = model.Buffers(entry.Buffer()).DataAsNumpy()
            return b"" if isinstance(content, int) else bytes(content)
    return None
