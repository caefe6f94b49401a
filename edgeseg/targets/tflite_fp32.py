"""TFLite in float: `(1, H, W, 3) float32 in [0, 1]` -> `(1, H, W, 1) float32` logits, for LiteRT.

The tolerance: float sums differ in their last bits, which moves a pixel only when its logit lies on the threshold; none
moved on 207 real slices, and 5 in a million leave room for other processors.
"""

from __future__ import annotations

from pathlib import Path

from edgeseg.targets._seal import sealed
from edgeseg.targets._tflite_float import LAYOUT, convert_float
from edgeseg.targets.target import ConvertJob, Target

NAME = "tflite-fp32"
BLOCKS = False
"""Not faster on x86 as far as could be told on a busy machine; fewer instructions on Arm (`benchmarks/stem.py`)."""


@sealed
def _convert(job: ConvertJob, path: Path) -> None:
    convert_float(job, path, NAME, blocks=BLOCKS)


TARGET = Target(
    name=NAME,
    suffix=".tflite",
    runtime="litert",
    precision="fp32",
    needs_calibration=False,
    max_flip_ppm=5.0,
    layout=LAYOUT,
    convert=_convert,
    blocks=BLOCKS,
)
