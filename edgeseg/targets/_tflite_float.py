"""What the TFLite targets with float ends share: the conversion, and what it needs."""

from __future__ import annotations

from pathlib import Path

from edgeseg import artifacts
from edgeseg.targets._require import require
from edgeseg.targets.target import ConvertJob, artifact_contract, require_tensorflow

LAYOUT = "NHWC"


def convert_float(job: ConvertJob, path: Path, name: str, *, blocks: bool, weights: str = "float32") -> None:
    """Write `(1, H, W, 3) float32` -> `(1, H, W, 1) float32` logits.

    Args:
        job: the network and its contract.
        path: the file.
        name: of the target.
        blocks: as in `edgeseg.targets._tflite.float_model`.
        weights: likewise.

    Raises:
        ArtifactError: when TensorFlow cannot convert the network.
        MissingExtraError: without Keras or TensorFlow.
    """
    require("keras", "tensorflow", purpose=f"converting to {name}")
    require_tensorflow(job.model, name)
    from edgeseg.targets import _tflite
    from edgeseg.targets._keras import is_plain

    contract = artifact_contract(job, target=name, layout=LAYOUT)
    flat = _tflite.float_model(job.model, contract, weights=weights, blocks=blocks)
    artifacts.write_bytes(path, _tflite.to_bytes(flat, contract, plain=is_plain(job.model)))
