"""ONNX with uint8 weights and dynamic ranges: `(1, 3, H, W) float32 in [0, 1]` -> `(1, 1, H, W) float32` logits.

Ends and activations are float32; each convolution is a ConvInteger over an input whose range is measured slice by
slice. That needs no calibration, and it is slow: ConvInteger is barely optimised, and every activation is read and
written several times, so this is slower than `onnx-fp32` though a quarter of its size. Choose it where no slice to
calibrate on can be had, and `onnx-int8` elsewhere.

The tolerance: alphax 0.125 half as shipped flipped 43 pixels per million on 82 slices of three held-out patients (117
on the slices with tumour; pooled Dice 0.9415 became 0.9423). Other networks lie closer to their thresholds: 1000, as
for int8.
"""

from __future__ import annotations

from pathlib import Path

from edgeseg import artifacts
from edgeseg.targets._seal import sealed
from edgeseg.targets.target import ConvertJob, Target, artifact_contract, require_graph

NAME, LAYOUT = "onnx-dynamic", "NCHW"


@sealed
def _convert(job: ConvertJob, path: Path) -> None:
    require_graph(job.model, NAME)
    from edgeseg.targets import _onnx, _onnx_dynamic
    from edgeseg.targets._keras import is_plain, taken_apart
    from edgeseg.targets._repeated import repeated

    contract = artifact_contract(job, target=NAME, layout=LAYOUT)
    proto, layers = _onnx.named_graph(job.model, contract, rounded=repeated(job.once(taken_apart)))
    graph = _onnx_dynamic.dynamic(proto, layers, plain=is_plain(job.model))
    artifacts.write_bytes(path, _onnx.to_bytes(graph, contract, author=job.author))


TARGET = Target(
    name=NAME,
    suffix=".onnx",
    runtime="onnxruntime",
    precision="dynamic",
    needs_calibration=False,
    max_flip_ppm=1000.0,
    layout=LAYOUT,
    convert=_convert,
    from_graph=True,
    note="needs no calibration; ConvInteger is slow",
)
