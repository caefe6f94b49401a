"""LiteRT (TensorFlow Lite) behind `edgeseg.runtime.session.Session`."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, MissingExtraError, one_line
from edgeseg.place.allowance import allowed
from edgeseg.quiet import quiet
from edgeseg.runtime.session import TensorInfo, memory_for

_STDERR = (2,)
_WHILE = 119
"""The number of TFLite's operator WHILE."""
_QUANTIZE = 114
"""The number of TFLite's operator QUANTIZE, which a graph that computes in int8 behind float ends begins with."""


class LitertSession:
    """One TFLite model under XNNPACK; the interpreter keeps state, so a lock lets one thread in at a time.

    XNNPACK sums int8 products in 32 bits on every CPU, so there is no saturating fast path to keep away from.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        """Load the model and allocate its tensors.

        Raises:
            MissingExtraError: when ai-edge-litert is not installed.
            ArtifactError: when the model cannot be loaded, or has not one input and one output.
        """
        self._path = path
        self._lock = threading.Lock()
        self.runtime = f"ai-edge-litert {_version()}"
        self._interpreter = open_litert(path, threads=threads)
        values = max((math.prod(one["shape"].tolist()) for one in self._interpreter.get_input_details()), default=0)
        self._memory = memory_for(path.stat().st_size, threads, values)
        if _WHILE in (operators := _operators(path)):
            raise ArtifactError(
                f"{path}: the graph has the operator WHILE, which may run without end; a segmentation network needs "
                "none; convert it with its loops unrolled"
            )
        self._allocate()
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ArtifactError(
                f"{path}: the model has {len(inputs)} inputs and {len(outputs)} outputs; a segmentation model has one "
                "of each, so convert it anew with those of the image and of the mask alone"
            )
        self._input_index, self._output_index = int(inputs[0]["index"]), int(outputs[0]["index"])
        self.input, self.output = _info(inputs[0], path), _info(outputs[0], path)
        kinds = {np.dtype(tensor["dtype"]).name for tensor in self._interpreter.get_tensor_details()}
        self.precision = _precision(kinds, self.input.dtype, operators)
        self.numerics = _NUMERICS[self.precision]

    def _allocate(self) -> None:
        try:
            with quiet(_STDERR), allowed(self._memory):
                self._interpreter.allocate_tensors()
        except Exception as error:
            raise ArtifactError(
                f"{self._path}: {self.runtime} cannot prepare it ({one_line(error)}); build the model again"
            ) from error

    def infer(self, tensor: NDArray[np.generic]) -> NDArray[np.generic]:
        """Run one tensor.

        Raises:
            ArtifactError: when LiteRT fails.
        """
        with self._lock, allowed(self._memory):
            try:
                self._interpreter.set_tensor(self._input_index, tensor)
                self._interpreter.invoke()
                return np.asarray(self._interpreter.get_tensor(self._output_index))
            except Exception as error:
                raise ArtifactError(
                    f"{self._path}: {self.runtime} failed while running it ({one_line(error)}); build the model again"
                ) from error


_NUMERICS = {
    "int16x8": "int16 by int8, LiteRT's plain kernels (64-bit sums)",
    "dynamic": "int8 weights, ranges of each slice (LiteRT dynamic range), float32 between",
    "int8": "int8, LiteRT XNNPACK (32-bit sums)",
    "fp16": "float32, float16 weights",
    "fp32": "float32",
}


def _precision(kinds: set[str], ends: str, operators: set[int]) -> str:
    """Say how a file computes, from the types of its tensors, of its ends, and its operators; a key of `_NUMERICS`."""
    if "int16" in kinds:
        return "int16x8"
    if "int8" in kinds:
        return "dynamic" if ends == "float32" and not operators & {_QUANTIZE} else "int8"
    return "fp16" if "float16" in kinds else "fp32"


def _operators(path: Path) -> set[int]:
    """Return the numbers of the operators that stand in a file which LiteRT has verified."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(path.read_bytes(), 0)
    codes = (model.OperatorCodes(index) for index in range(model.OperatorCodesLength()))
    return {max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) for code in codes}


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("ai-edge-litert")
    except metadata.PackageNotFoundError as error:
        raise MissingExtraError("ai-edge-litert", "build", "running a .tflite model") from error


def open_litert(path: Path, *, threads: int, delegates: bool = True) -> Any:
    """Open an `Interpreter`, which verifies the whole file; `delegates` off leaves XNNPACK out.

    Raises:
        MissingExtraError: when ai-edge-litert is not installed.
        ArtifactError: when the file is no whole TFLite model.
    """
    version = _version()
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as error:
        raise MissingExtraError("ai-edge-litert", "build", "running a .tflite model") from error
    kernels = OpResolverType.AUTO if delegates else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        with quiet(_STDERR):
            return Interpreter(model_path=str(path), num_threads=threads, experimental_op_resolver_type=kernels)
    except Exception as error:
        raise ArtifactError(
            f"{path}: ai-edge-litert {version} cannot load it ({one_line(error)}); the file is damaged, cut short "
            "or of another format, so copy it again or build it again"
        ) from error


def _info(details: dict[str, Any], path: Path) -> TensorInfo:
    name, dtype = str(details["name"]), np.dtype(details["dtype"]).name
    shape = tuple(int(size) for size in details["shape"])
    if any(int(size) < 0 for size in details.get("shape_signature", ())[1:]):
        raise ArtifactError(
            f"{path}: tensor '{name}' leaves its height, width or channels open; convert the model for one size"
        )
    if dtype not in ("int8", "uint8", "int16"):
        return TensorInfo(name=name, shape=shape, dtype=dtype)
    scale, zero_point = details["quantization"]
    if not scale > 0:
        raise ArtifactError(f"{path}: tensor '{name}' is {dtype} without a scale; build the model again")
    return TensorInfo(name=name, shape=shape, dtype=dtype, scale=float(scale), zero_point=int(zero_point))
