"""ONNX in float16: `(1, 3, H, W) float32 in [0, 1]` -> `(1, 1, H, W) float32` logits, for ONNX Runtime.

Half the file of `onnx-fp32`. Weights and activations are float16; input and output stay float32 behind two casts, since
that is what runners have: Java and JavaScript know no array of halves, and an application can change between this file
and `onnx-fp32` without a change of code. Where the CPU has no float16 kernel, ONNX Runtime casts around the float32
one, which makes it slower there, not faster. It is meant for GPUs, neural units and Arm cores with half arithmetic.

The tolerance: alphax 0.125 half as shipped flipped 0.9 pixels per million on 82 slices of three held-out patients (2.2
on the slices with tumour), where the weights alone were rounded. Half arithmetic rounds the activations too, and other
networks lie closer to their thresholds: 50.
"""

from __future__ import annotations

from pathlib import Path

from edgeseg import artifacts
from edgeseg.targets._seal import sealed
from edgeseg.targets.target import ConvertJob, Target, artifact_contract, require_graph

NAME, LAYOUT = "onnx-fp16", "NCHW"


@sealed
def _convert(job: ConvertJob, path: Path) -> None:
    require_graph(job.model, NAME)
    from edgeseg.targets import _onnx, _onnx_fp16
    from edgeseg.targets._keras import is_plain

    contract = artifact_contract(job, target=NAME, layout=LAYOUT)
    graph = _onnx_fp16.halved(_onnx.float_graph(job.model, contract), plain=is_plain(job.model))
    artifacts.write_bytes(path, _onnx.to_bytes(graph, contract, author=job.author))


TARGET = Target(
    name=NAME,
    suffix=".onnx",
    runtime="onnxruntime",
    precision="fp16",
    needs_calibration=False,
    max_flip_ppm=50.0,
    layout=LAYOUT,
    convert=_convert,
    from_graph=True,
    note="half the file; slower where the CPU has no float16 kernels",
)
