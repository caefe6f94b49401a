"""TFLite with float16 weights: `(1, H, W, 3) float32 in [0, 1]` -> `(1, H, W, 1) float32` logits, for LiteRT.

Half the file of `tflite-fp32`. LiteRT widens the weights once while it loads them and computes in float32 on a CPU, so
nothing is faster there; GPU delegates take float16 as it is. One DEQUANTIZE per weight stands in the graph for that.

The tolerance: alphax 0.125 half as shipped flipped 0.9 pixels per million on 82 slices of three held-out patients (2.2
on the slices with tumour). A GPU rounds the activations too, and other networks lie closer to their thresholds: 50.
"""

from __future__ import annotations

from pathlib import Path

from edgeseg.targets._seal import sealed
from edgeseg.targets._tflite_float import LAYOUT, convert_float
from edgeseg.targets.target import ConvertJob, Target

NAME = "tflite-fp16"
BLOCKS = False


@sealed
def _convert(job: ConvertJob, path: Path) -> None:
    convert_float(job, path, NAME, blocks=BLOCKS, weights="float16")


TARGET = Target(
    name=NAME,
    suffix=".tflite",
    runtime="litert",
    precision="fp16",
    needs_calibration=False,
    max_flip_ppm=50.0,
    layout=LAYOUT,
    convert=_convert,
    blocks=BLOCKS,
    note="half the file; a CPU computes it in float32",
)
