"""ORT format in full-integer int8: `(1, 3, H, W) int8` (pixel byte - 128) -> `(1, 1, H, W) int8` logits, for mobile.

`onnx-int8`, optimised beforehand into the integer graph that ONNX Runtime takes on Arm, and saved as what a build of it
without the ONNX reader takes; on the same kernels both give the same codes. Beside it stands
`ort-int8.required_operators.config`, for a build that holds these operators and no others.

The graph is fixed in the file, so a host whose int8 kernels saturate (x86 without VNNI) has no exact way to run it;
`numerics` says so there, and `onnx-int8` is the file to evaluate.

The tolerance: that of `onnx-int8`, whose codes it gave in every pixel of 82 slices of three held-out patients.
"""

from __future__ import annotations

from pathlib import Path

from edgeseg import artifacts
from edgeseg.targets._ort import OPERATORS_SUFFIX, write_operators
from edgeseg.targets._seal import sealed
from edgeseg.targets.target import ConvertJob, Target

NAME, LAYOUT = "ort-int8", "NCHW"
CHANNELS_LAST = True
"""As in `onnx-int8`, and loadable by versions of ONNX Runtime that have no integer DepthToSpace."""


@sealed
def _graph(job: ConvertJob, path: Path) -> None:
    from edgeseg.targets import _onnx_int8, _ort

    artifacts.write_bytes(path, _ort.saved(_onnx_int8.converted(job, target=NAME, layout=LAYOUT, moved=CHANNELS_LAST)))


def _convert(job: ConvertJob, path: Path) -> None:
    _graph(job, path)
    write_operators(path)


TARGET = Target(
    name=NAME,
    suffix=".ort",
    runtime="onnxruntime",
    precision="int8",
    needs_calibration=True,
    max_flip_ppm=1000.0,
    layout=LAYOUT,
    convert=_convert,
    channels_last=CHANNELS_LAST,
    from_graph=True,
    profiles=("arm",),
    companions=(OPERATORS_SUFFIX,),
    note="as ort-fp32; the integer graph that ONNX Runtime takes on Arm",
)
