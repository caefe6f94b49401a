"""The file formats, one per file, and the table that names them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edgeseg.errors import UnknownNameError
from edgeseg.runtime import Segmenter
from edgeseg.targets import (
    keras_fp32,
    onnx_dynamic,
    onnx_fp16,
    onnx_fp32,
    onnx_int8,
    ort_fp32,
    ort_int8,
    tflite_dynamic,
    tflite_fp16,
    tflite_fp32,
    tflite_int8,
    tflite_int16x8,
)
from edgeseg.targets._explicit import explicit
from edgeseg.targets.float_network import float_predictor
from edgeseg.targets.keras_fp32 import KerasPredictor
from edgeseg.targets.target import ConvertJob, Target

__all__ = [
    "TARGETS",
    "ConvertJob",
    "KerasPredictor",
    "Target",
    "explicit",
    "float_predictor",
    "get",
    "open_artifact",
    "resolve",
]

ALL = "all"

TARGETS: dict[str, Target] = {
    module.TARGET.name: module.TARGET
    for module in (
        keras_fp32,
        tflite_fp32,
        tflite_fp16,
        tflite_dynamic,
        tflite_int8,
        tflite_int16x8,
        onnx_fp32,
        onnx_fp16,
        onnx_dynamic,
        onnx_int8,
        ort_fp32,
        ort_int8,
    )
}


def get(name: str) -> Target:
    """Return a target by name.

    Raises:
        UnknownNameError: with the names there are.
    """
    if name not in TARGETS:
        raise UnknownNameError("target", name, (*TARGETS, ALL))
    return TARGETS[name]


def resolve(names: Iterable[str]) -> tuple[Target, ...]:
    """Turn the names a caller gave into targets: each once, in the order of the table.

    `all` stands for every target, and a part of names, such as `int8` or `tflite`, for those that have it.

    Raises:
        UnknownNameError: for a name that is not in the table and no part of one.
    """
    wanted = {target for name in names for target in _named(name)}
    return tuple(target for target in TARGETS.values() if target.name in wanted)


def _named(name: str) -> set[str]:
    parts = {target for target in TARGETS if name == ALL or name in target.split("-")}
    return parts or {get(name).name}


def open_artifact(
    path: Path, *, threads: int = 2, numerics: str = "exact", contract: Path | None = None
) -> Segmenter | KerasPredictor:
    """Open an artifact of any format; what comes back runs slices with `logits`.

    Args:
        path: `.hdf5`, `.onnx`, `.ort` or `.tflite`.
        threads: for the runtime.
        numerics: `exact` or `fast`, see `Segmenter.load`; only ONNX int8 differs.
        contract: a file with the contract of a model that carries none, see `Segmenter.load`.

    Raises:
        ArtifactError: when the file is missing, damaged, of another format, or cannot be run.
        ContractError: when it carries no contract that this edgeseg can honour.
        MissingExtraError: when what runs it is not installed.
    """
    if path.suffix.lower() == keras_fp32.TARGET.suffix:
        return keras_fp32.open_keras(path, threads=threads, contract=contract)
    return Segmenter.load(path, threads=threads, numerics=numerics, contract=contract)
