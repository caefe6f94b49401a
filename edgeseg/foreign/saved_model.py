"""A TensorFlow SavedModel: its signature as an ONNX file, and run as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, one_line
from edgeseg.quiet import quiet
from edgeseg.targets._require import require

SIGNATURE = "serving_default"
OPSET = 17
_REACHING_OUT = ("PyFunc", "PyFuncStateless", "EagerPyFunc", "ReadFile", "WriteFile", "MatchingFiles",
                 "WholeFileReader", "WholeFileReaderV2", "PrintV2", "DebugIdentityV2")  # fmt: skip
_SECONDS = 1800


def onnx_of(path: Path, folder: Path) -> Path:
    """Convert the signature of a SavedModel to ONNX, in a process of its own.

    Args:
        path: the folder of the SavedModel.
        folder: where the file goes.

    Raises:
        ArtifactError: when it is damaged, reaches for files or Python, has no such signature, or cannot be converted.
        MissingExtraError: when tf2onnx is not installed.
    """
    require("tensorflow", "tf2onnx", purpose="reading a SavedModel")
    check(path)
    made = folder / "saved_model.onnx"
    options = ("--saved-model", str(path), "--signature_def", SIGNATURE, "--opset", str(OPSET), "--output", str(made))
    told = subprocess.run(
        [sys.executable, "-m", "tf2onnx.convert", *options],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if told.returncode or not made.is_file():
        if "Read less bytes than requested" in told.stderr or "DataLoss" in told.stderr:
            raise ArtifactError(
                f"{path}: the weights of the SavedModel were cut off (variables); copy the whole folder"
            )
        last = (told.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ArtifactError(
            f"{path}: its signature '{SIGNATURE}' cannot be converted ({last[:200]}); save the network as .keras, or "
            "export it to ONNX yourself"
        )
    return made


def check(path: Path) -> None:
    """Refuse a SavedModel that is damaged, whose graph reaches out of itself, or that has no signature.

    Raises:
        ArtifactError: naming what is wrong.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    found = saved_model_pb2.SavedModel()
    try:
        found.ParseFromString((path / "saved_model.pb").read_bytes())
        (graph,) = found.meta_graphs
    except (DecodeError, ValueError, OSError) as error:
        raise ArtifactError(f"{path}: a SavedModel that is damaged ({one_line(error)}); copy it again") from error
    if not (path / "variables" / "variables.index").is_file():
        raise ArtifactError(
            f"{path}: a SavedModel without its weights (variables/variables.index); copy the whole folder"
        )
    nodes = [node for function in graph.graph_def.library.function for node in function.node_def]
    kinds = {node.op for node in (*graph.graph_def.node, *nodes)}
    if reaching := sorted(kinds & set(_REACHING_OUT)):
        raise ArtifactError(
            f"{path}: its graph holds {reaching[0]}, which reaches for files or Python while it runs; save the network "
            "without it"
        )
    if SIGNATURE not in graph.signature_def:
        names = ", ".join(sorted(graph.signature_def)) or "none"
        raise ArtifactError(
            f"{path}: has no signature '{SIGNATURE}' (it has: {names}); save it with model.export or model.save"
        )


def run_signature(path: Path, output: str) -> Any:
    """Return a function `(N, H, W, C) float32` -> `(N, h, w, K) float32` that runs the signature in TensorFlow."""
    import tensorflow as tf

    check(path)
    with quiet():
        loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures[SIGNATURE]
    (name,) = signature.structured_input_signature[1]

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        assert loaded is not None
        answers = signature(**{name: tf.constant(images)})
        chosen = answers.get(output)
        chosen = next(iter(answers.values())) if chosen is None else chosen
        return np.asarray(chosen, np.float32)

    return run
