"""ONNX Runtime behind `edgeseg.runtime.session.Session`, and the graph modes that decide its int8 arithmetic."""

from __future__ import annotations

import math
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, one_line
from edgeseg.place.allowance import allowed
from edgeseg.runtime.graph_ends import require_end
from edgeseg.runtime.model_files import model_files
from edgeseg.runtime.session import TensorInfo, memory_for

INPUT_SCALE, INPUT_ZERO_POINT = "edgeseg.input_scale", "edgeseg.input_zero_point"
OUTPUT_SCALE, OUTPUT_ZERO_POINT = "edgeseg.output_scale", "edgeseg.output_zero_point"
_LOG_FATAL_ONLY = 4
_INT8_OPERATORS = (b"QuantizeLinear", b"QLinear", b"ConvInteger", b"MatMulInteger")
_DYNAMIC_OPERATORS = (b"DynamicQuantizeLinear",)
_UNKNOWN_OPERATION = ("No Op registered", "is not a registered function/op", "No opset import for domain")
_DTYPES = {"tensor(float)": "float32", "tensor(int8)": "int8", "tensor(uint8)": "uint8"}
_FLIP_SIGN = np.uint8(128)
"""Turns the codes of uint8 into those of int8 and back: both differ by 128."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphMode:
    """How far ONNX Runtime may rewrite a graph.

    Attributes:
        description: short, for results.
        level: name of a member of `onnxruntime.GraphOptimizationLevel`.
        config: session configuration entries.
    """

    description: str
    level: str
    config: tuple[tuple[str, str], ...] = ()


_WHOLE_GRAPH = ("session.qdqisint8allowed", "1")
"""Fuse signed int8 everywhere. On by default on Arm; off on x86, which then leaves some operators in float."""

DEFAULT = GraphMode(description="the host's default kernels", level="ORT_ENABLE_ALL")
FUSED = GraphMode(description="integer graph", level="ORT_ENABLE_ALL", config=(_WHOLE_GRAPH,))
FUSED_U8U8 = GraphMode(
    description="fused U8U8 kernels", level="ORT_ENABLE_ALL", config=(("session.x64quantprecision", "1"),)
)
BASIC = GraphMode(description="basic graph in float", level="ORT_ENABLE_BASIC")
BARE = GraphMode(description="graph as stored", level="ORT_DISABLE_ALL")


IDLE = ("session.force_spinning_stop", "1")
"""Worker threads sleep between runs. By default they spin for a while, at the cost of whatever runs next."""


def open_onnx(model: Path | bytes, *, mode: GraphMode, threads: int) -> Any:
    """Open an `onnxruntime.InferenceSession` on the CPU.

    Raises:
        ArtifactError: when ONNX Runtime cannot load the model, or not all of its files are there.
    """
    size = len(model) if isinstance(model, bytes) else 0
    if isinstance(model, Path):
        size = sum(one.stat().st_size for one in model_files(model))
        _require_end(model)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _LOG_FATAL_ONLY
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, mode.level)
    for key, value in (IDLE, *mode.config):
        options.add_session_config_entry(key, value)
    source = model if isinstance(model, bytes) else str(model)
    try:
        with allowed(memory_for(size, threads)):
            return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:
        name = "the model" if isinstance(model, bytes) else f"{model}"
        if any(told in str(error) for told in _UNKNOWN_OPERATION):
            raise ArtifactError(
                f"{name}: holds an operation that ONNX Runtime {ort.__version__} does not know ({one_line(error)}); "
                "export it with standard ONNX operations alone"
            ) from error
        raise ArtifactError(
            f"{name}: ONNX Runtime {ort.__version__} cannot load it ({one_line(error)}); the file is damaged, cut "
            "short or of another format, so copy it again or build it again"
        ) from error


def _require_end(path: Path) -> None:
    if not path.is_file() or path.stat().st_size == 0:
        return
    try:
        require_end(path)
    except (ValueError, IndexError) as error:
        raise ArtifactError(
            f"{path}: not a readable ONNX model ({error}); the file is damaged, cut short or of another format, so "
            "copy it again or build it again"
        ) from error


def metadata_of(session: Any, path: Path) -> dict[str, str]:
    """Return the metadata properties of an open session.

    Raises:
        ArtifactError: when they are no text.
    """
    try:
        return dict(session.get_modelmeta().custom_metadata_map)
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{path}: its metadata are not UTF-8 text; build the model again") from error


def computes_int8(path: Path) -> bool:
    """Tell whether an ONNX file quantises activations, by the operator names that stand in it as plain text.

    `DequantizeLinear` alone (weights stored small, arithmetic in float) does not count.
    """
    return _holds(path, _INT8_OPERATORS)


def computes_dynamic(path: Path) -> bool:
    """Tell whether an ONNX file measures the ranges of activations while it runs, by its operator names."""
    return _holds(path, _DYNAMIC_OPERATORS)


def _holds(path: Path, names: tuple[bytes, ...]) -> bool:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(name) >= 0 for name in names)


class OnnxSession:
    """One ONNX model; thread-safe, as `InferenceSession.run` is.

    A file that takes or gives uint8 codes is shown as one of int8, with all codes less by 128.
    """

    def __init__(self, path: Path, *, threads: int, mode: GraphMode, numerics: str) -> None:
        """Load the model.

        Raises:
            ArtifactError: when it cannot be loaded, or has not one input and one output.
        """
        self._path = path
        self._session = open_onnx(path, mode=mode, threads=threads)
        try:
            inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
            _ = [(end.name, end.type, end.shape) for end in (*inputs, *outputs)]
        except UnicodeDecodeError as error:
            raise ArtifactError(f"{path}: the names of its ends are not UTF-8 text; build the model again") from error
        if len(inputs) != 1 or len(outputs) != 1:
            raise ArtifactError(
                f"{path}: the model has {len(inputs)} inputs and {len(outputs)} outputs; a segmentation model has one "
                "of each, so build it with: edgeseg build"
            )
        metadata = metadata_of(self._session, path)
        self._unsigned = tuple(end.type == "tensor(uint8)" for end in (inputs[0], outputs[0]))
        values = math.prod(size if isinstance(size, int) else 1 for size in inputs[0].shape)
        self._memory = memory_for(path.stat().st_size, threads, values)
        self.input = _info(inputs[0], metadata, INPUT_SCALE, INPUT_ZERO_POINT, path)
        self.output = _info(outputs[0], metadata, OUTPUT_SCALE, OUTPUT_ZERO_POINT, path)
        self.runtime = f"onnxruntime {ort.__version__}"
        self.numerics = numerics

    def infer(self, tensor: NDArray[np.generic]) -> NDArray[np.generic]:
        """Run one tensor.

        Raises:
            ArtifactError: when ONNX Runtime fails.
        """
        if self._unsigned[0]:
            tensor = tensor.view(np.uint8) ^ _FLIP_SIGN
        try:
            with allowed(self._memory):
                (result,) = self._session.run([self.output.name], {self.input.name: tensor})
        except Exception as error:
            raise ArtifactError(
                f"{self._path}: ONNX Runtime {ort.__version__} failed while running it ({one_line(error)}); build the "
                "model again"
            ) from error
        return np.asarray((result ^ _FLIP_SIGN).view(np.int8) if self._unsigned[1] else result)


def _info(node: Any, metadata: dict[str, str], scale_key: str, zero_key: str, path: Path) -> TensorInfo:
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    dtype = _DTYPES.get(node.type, node.type.removeprefix("tensor(").removesuffix(")"))
    if dtype not in ("int8", "uint8"):
        return TensorInfo(name=node.name, shape=shape, dtype=dtype)
    try:
        scale, zero_point = float(metadata[scale_key]), int(metadata[zero_key])
    except (KeyError, ValueError) as error:
        raise ArtifactError(
            f"{path}: tensor '{node.name}' is {dtype}, and the metadata '{scale_key}' and '{zero_key}' that say what "
            "its values mean are missing or not numbers; build the model again"
        ) from error
    if not (math.isfinite(scale) and scale > 0):
        raise ArtifactError(f"{path}: '{scale_key}' is {scale}; a scale is positive, so build the model again")
    zero_point -= 128 if dtype == "uint8" else 0
    return TensorInfo(name=node.name, shape=shape, dtype="int8", scale=scale, zero_point=zero_point)
