"""Run a model that carries no contract: what it computes is unknown, how long it takes is not."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, OptionError, one_line
from edgeseg.quiet import quiet
from edgeseg.runtime.contract import model_format
from edgeseg.runtime.litert_session import open_litert
from edgeseg.runtime.onnx_session import DEFAULT, computes_int8, open_onnx

_MAX_ELEMENTS = 1 << 28
_TYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(bool)": "bool"}


class PlainModel:
    """A `.onnx` or `.tflite` file with any number of inputs of fixed shape, fed random numbers.

    Attributes:
        path: the file.
        runtime: name and version of the runtime.
        threads: how many threads it may use.
        numerics: `int8` where it computes in integers, else `as stored`.
    """

    def __init__(self, path: Path, *, threads: int = 2, seed: int = 0) -> None:
        """Open the model and draw its inputs: floats in [0, 1), 8-bit integers over their range, others 0.

        A batch that the file leaves open is 1.

        Raises:
            OptionError: for threads below 1.
            ArtifactError: when the file is missing or damaged, or an input has no fixed shape.
            MissingExtraError: for `.tflite` without ai-edge-litert.
        """
        if threads < 1:
            raise OptionError(f"threads is {threads}; at least 1 is needed")
        self.path, self.threads = path, threads
        self._invoke: Callable[[], object]
        self._rng = np.random.default_rng(seed)
        if model_format(path) == ".tflite":
            self._open_tflite()
        else:
            self._open_onnx()

    def run(self) -> None:
        """Run the model once.

        Raises:
            ArtifactError: when the runtime fails.
        """
        try:
            self._invoke()
        except Exception as error:
            raise ArtifactError(f"{self.path}: {self.runtime} failed while running it ({one_line(error)})") from error

    def _open_onnx(self) -> None:
        session = open_onnx(self.path, mode=DEFAULT, threads=self.threads)
        feeds = {node.name: self._draw(node.name, tuple(node.shape), _onnx_type(node.type), self.path)
                 for node in session.get_inputs()}  # fmt: skip
        self.runtime = f"onnxruntime {ort.__version__}"
        self.numerics = "int8" if computes_int8(self.path) else "as stored"
        self._invoke = lambda: session.run(None, feeds)

    def _open_tflite(self) -> None:
        from importlib import metadata

        interpreter = open_litert(self.path, threads=self.threads)
        try:
            with quiet((2,)):
                interpreter.allocate_tensors()
        except Exception as error:
            raise ArtifactError(f"{self.path}: LiteRT cannot prepare it ({one_line(error)})") from error
        feeds = [(int(d["index"]), self._draw(str(d["name"]), _tflite_shape(d), np.dtype(d["dtype"]).name, self.path))
                 for d in interpreter.get_input_details()]  # fmt: skip
        outputs = [int(d["index"]) for d in interpreter.get_output_details()]
        self.runtime = f"ai-edge-litert {metadata.version('ai-edge-litert')}"
        kinds = {np.dtype(tensor["dtype"]).name for tensor in interpreter.get_tensor_details()}
        self.numerics = "int8" if "int8" in kinds else "as stored"

        def invoke() -> list[Any]:
            for index, tensor in feeds:
                interpreter.set_tensor(index, tensor)
            interpreter.invoke()
            return [interpreter.get_tensor(index) for index in outputs]

        self._invoke = invoke

    def _draw(self, name: str, shape: tuple[object, ...], dtype: str, path: Path) -> NDArray[np.generic]:
        sizes = tuple(1 if i == 0 and not _fixed(size) else size for i, size in enumerate(shape))
        if not all(_fixed(size) for size in sizes):
            raise ArtifactError(
                f"{path}: input '{name}' has the shape {list(shape)}; only the batch may be left open, so write the "
                "model anew with a fixed size"
            )
        whole = tuple(int(str(size)) for size in sizes)
        if math.prod(whole) > _MAX_ELEMENTS:
            raise ArtifactError(f"{path}: input '{name}' has the shape {list(whole)}, more than 2**28 numbers")
        try:
            kind = np.dtype(dtype)
        except TypeError as error:
            raise ArtifactError(f"{path}: input '{name}' is of type {dtype}, which edgeseg cannot draw") from error
        if kind.kind == "f":
            return self._rng.random(whole, np.float32).astype(kind)
        if kind in (np.dtype(np.int8), np.dtype(np.uint8)):
            limits = np.iinfo(kind)
            return self._rng.integers(limits.min, limits.max, whole, endpoint=True).astype(kind)
        return np.zeros(whole, kind)


def _fixed(size: object) -> bool:
    return isinstance(size, int) and size > 0


def _onnx_type(text: str) -> str:
    return _TYPES.get(text, text.removeprefix("tensor(").removesuffix(")"))


def _tflite_shape(details: dict[str, Any]) -> tuple[object, ...]:
    signature = details.get("shape_signature")
    shape = details["shape"] if signature is None or not len(signature) else signature
    return tuple(int(size) for size in shape)
