"""TFLite with int8 weights and dynamic ranges: `(1, H, W, 3) float32 in [0, 1]` -> `(1, H, W, 1) float32` logits.

Ends and activations are float32; a convolution measures the range of its input, slice by slice, and multiplies in
int8. That needs no calibration, and the file is as small as that of `tflite-int8`, which is faster: choose this one
where no slice to calibrate on can be had.

The tolerance: alphax 0.125 half as shipped flipped 25 pixels per million on 82 slices of three held-out patients (93 on
the slices with tumour; pooled Dice 0.9415 stayed). Other networks lie closer to their thresholds: 1000, as for int8.
"""

from __future__ import annotations

from pathlib import Path

from edgeseg.targets._seal import sealed
from edgeseg.targets._tflite_float import LAYOUT, convert_float
from edgeseg.targets.target import ConvertJob, Target

NAME = "tflite-dynamic"
BLOCKS = False


@sealed
def _convert(job: ConvertJob, path: Path) -> None:
    convert_float(job, path, NAME, blocks=BLOCKS, weights="int8")


TARGET = Target(
    name=NAME,
    suffix=".tflite",
    runtime="litert",
    precision="dynamic",
    needs_calibration=False,
    max_flip_ppm=1000.0,
    layout=LAYOUT,
    convert=_convert,
    blocks=BLOCKS,
    note="needs no calibration; tflite-int8 is as small and faster",
)
