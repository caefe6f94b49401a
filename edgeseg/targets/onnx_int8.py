"""ONNX in full-integer int8 (QDQ): `(1, 3, H, W) int8` (pixel byte - 128) -> `(1, 1, H, W) int8` logits.

That is the profile `arm`. `x86` writes `uint8` codes (the pixel's byte itself) and weights of 7 bits: a graph that ONNX
Runtime keeps in integers on x86 with its default options, and that cannot saturate there, with or without VNNI.

The tolerance: 115 pixels per million flipped where `tflite-int8` flipped 138 (pooled Dice 0.8374 became 0.8364); the
reasons for 1000 are the same.
"""

from __future__ import annotations

from pathlib import Path

from edgeseg import artifacts
from edgeseg.targets._seal import sealed
from edgeseg.targets.target import ConvertJob, Target

NAME, LAYOUT = "onnx-int8", "NCHW"
CHANNELS_LAST = True
"""Rearrangements in the order of the kernels: equal codes, and fewer instructions on Arm."""


@sealed
def _convert(job: ConvertJob, path: Path) -> None:
    from edgeseg.targets import _onnx_int8

    artifacts.write_bytes(path, _onnx_int8.converted(job, target=NAME, layout=LAYOUT, moved=CHANNELS_LAST))


TARGET = Target(
    name=NAME,
    suffix=".onnx",
    runtime="onnxruntime",
    precision="int8",
    needs_calibration=True,
    max_flip_ppm=1000.0,
    layout=LAYOUT,
    convert=_convert,
    channels_last=CHANNELS_LAST,
    from_graph=True,
    profiles=("arm", "x86"),
)
