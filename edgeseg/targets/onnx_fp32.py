"""ONNX in float: `(1, 3, H, W) float32 in [0, 1]` -> `(1, 1, H, W) float32` logits, for ONNX Runtime.

The tolerance: float sums differ in their last bits, which moves a pixel only when its logit lies on the threshold; none
moved on 207 real slices, and 5 in a million leave room for other processors.
"""

from __future__ import annotations

from pathlib import Path

from edgeseg import artifacts
from edgeseg.targets._seal import sealed
from edgeseg.targets.target import ConvertJob, Target, artifact_contract, require_graph

NAME, LAYOUT = "onnx-fp32", "NCHW"


@sealed
def _convert(job: ConvertJob, path: Path) -> None:
    require_graph(job.model, NAME)
    from edgeseg.targets import _onnx

    contract = artifact_contract(job, target=NAME, layout=LAYOUT)
    artifacts.write_bytes(path, _onnx.to_bytes(_onnx.float_graph(job.model, contract), contract, author=job.author))


TARGET = Target(
    name=NAME,
    suffix=".onnx",
    runtime="onnxruntime",
    precision="fp32",
    needs_calibration=False,
    max_flip_ppm=5.0,
    layout=LAYOUT,
    convert=_convert,
    from_graph=True,
)
