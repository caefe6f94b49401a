"""ORT format in float: `(1, 3, H, W) float32 in [0, 1]` -> `(1, 1, H, W) float32` logits, for ONNX Runtime on mobile.

`onnx-fp32`, optimised beforehand and saved as what a build of ONNX Runtime without the ONNX reader takes. Beside it
stands `ort-fp32.required_operators.config`, for a build that holds these operators and no others.

The tolerance: that of `onnx-fp32`, whose sums it computes; no pixel flipped on 82 slices of three held-out patients.
"""

from __future__ import annotations

from pathlib import Path

from edgeseg import artifacts
from edgeseg.targets._ort import OPERATORS_SUFFIX, write_operators
from edgeseg.targets._seal import sealed
from edgeseg.targets.target import ConvertJob, Target, artifact_contract, require_graph

NAME, LAYOUT = "ort-fp32", "NCHW"


@sealed
def _graph(job: ConvertJob, path: Path) -> None:
    require_graph(job.model, NAME)
    from edgeseg.targets import _onnx, _ort

    contract = artifact_contract(job, target=NAME, layout=LAYOUT)
    artifacts.write_bytes(
        path, _ort.saved(_onnx.to_bytes(_onnx.float_graph(job.model, contract), contract, author=job.author))
    )


def _convert(job: ConvertJob, path: Path) -> None:
    _graph(job, path)
    write_operators(path)


TARGET = Target(
    name=NAME,
    suffix=".ort",
    runtime="onnxruntime",
    precision="fp32",
    needs_calibration=False,
    max_flip_ppm=5.0,
    layout=LAYOUT,
    convert=_convert,
    from_graph=True,
    companions=(OPERATORS_SUFFIX,),
    note="for ONNX Runtime on mobile; its operators are listed beside it",
)
