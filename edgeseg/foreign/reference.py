"""Opening somebody's file in its own runtime: Keras, ONNX Runtime or TensorFlow."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.artifacts import sha256_file
from edgeseg.errors import ArtifactError
from edgeseg.foreign.keras_file import read_hdf5, read_keras
from edgeseg.foreign.network import source_files
from edgeseg.foreign.onnx_floats import has_float16
from edgeseg.foreign.original import OriginalPredictor, Run
from edgeseg.foreign.recognise import Kind, recognise
from edgeseg.foreign.saved_model import run_signature
from edgeseg.runtime.onnx_session import DEFAULT, open_onnx
from edgeseg.specs import Contract
from edgeseg.specs.foreign import ForeignRecord
from edgeseg.targets.keras_fp32 import keras_runtime, set_threads


def open_original(path: Path, record: ForeignRecord, contract: Contract, *, threads: int = 2) -> OriginalPredictor:
    """Open somebody's file as it is.

    Args:
        path: the file, or the folder of a SavedModel; as a rule the copy that a run keeps.
        record: what the run says of it.
        contract: of the network in the run.
        threads: for the runtime.

    Raises:
        ArtifactError: when it is missing, no longer the file that was imported, or cannot be run.
    """
    if not path.exists():
        raise ArtifactError(f"{path} is missing, which the run was made of; import the network again")
    if sha256_file(source_files(path)[0]) != record.sha256:
        raise ArtifactError(f"{path} is no longer the file that was imported (its SHA-256 differs); import it again")
    kind, numerics = recognise(path), "float32"
    if kind is Kind.ONNX:
        numerics = "float16" if has_float16(path) else numerics
        run, runtime = _onnx(path, record, contract, threads)
    elif kind is Kind.SAVED_MODEL:
        set_threads(threads)
        run, runtime = run_signature(path, record.output), keras_runtime()
    else:
        set_threads(threads)
        model = (read_hdf5(path) if kind is Kind.HDF5 else read_keras(path)).model
        numerics = _numerics(model)
        run, runtime = _keras(model, record), keras_runtime()
    maps = _as_maps(run, contract)
    return OriginalPredictor(maps, record, contract, runtime=runtime, threads=threads, numerics=numerics)


def _numerics(model: Any) -> str:
    """Say in what a Keras model computes: mixed precision rounds to float16 (bfloat16 is coarser still)."""
    half = any(str(getattr(layer, "compute_dtype", "")).endswith("float16") for layer in model._flatten_layers())  # noqa: SLF001
    return "float16" if half else "float32"


def _keras(model: Any, record: ForeignRecord) -> Run:
    import keras
    import tensorflow as tf

    from edgeseg.foreign.flat import output_names

    names = output_names(model, len(model.outputs))
    place = names.index(record.output)
    channels = model.inputs[0].shape[-1]
    signature = [tf.TensorSpec((None, None, None, channels), tf.float32)]
    if all(model.inputs[0].shape[1:3]):
        signature = [tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.float32)]

    def call(images: Any) -> Any:
        return keras.tree.flatten(model(images, training=False))[place]

    graph = tf.function(call, input_signature=signature, autograph=False).get_concrete_function()

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(graph(tf.constant(images)), np.float32)

    return run


def _onnx(path: Path, record: ForeignRecord, contract: Contract, threads: int) -> tuple[Run, str]:
    session, runtime = open_onnx(path, mode=DEFAULT, threads=threads), f"onnxruntime {version('onnxruntime')}"
    (given,) = session.get_inputs()
    kinds = {"tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}
    kind = kinds.get(given.type, np.float32)
    first = record.layout == "NCHW"
    batch = given.shape[0] if isinstance(given.shape[0], int) else 1

    def one(image: NDArray[np.float32]) -> NDArray[np.float32]:
        laid = image.transpose(2, 0, 1) if first else image
        (answer,) = session.run([record.output], {given.name: np.repeat(laid[np.newaxis].astype(kind), batch, axis=0)})
        values = np.asarray(answer, np.float32)[:1]
        if values.shape[1:] == (contract.height, contract.width):
            values = values[:, np.newaxis] if first else values[..., np.newaxis]
        return np.asarray(values.transpose(0, 2, 3, 1)[0] if first and values.ndim == 4 else values[0])

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.stack([one(image) for image in images])

    return run, runtime


def _as_maps(run: Run, contract: Contract) -> Run:
    """Lay lists of pixels, `(N, H * W, K)`, out as images."""
    return partial(_mapped, run, contract.height, contract.width)


def _mapped(run: Run, height: int, width: int, images: NDArray[np.float32]) -> NDArray[np.float32]:
    values = run(images)
    return np.asarray(values.reshape(len(values), height, width, -1) if values.ndim == 3 else values)
