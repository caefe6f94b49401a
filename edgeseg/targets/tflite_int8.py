"""TFLite in full-integer int8: `(1, H, W, 3) int8` (pixel byte - 128) -> `(1, H, W, 1) int8` logits, for LiteRT.

The tolerance: alphax 0.125 half, trained on real slices and calibrated on 128 of them, flipped 138 pixels per million
on 207 validation slices (1 % of the tumour pixels there; pooled Dice 0.8374 became 0.8358), all inside the network: the
rounding of the logits flips none. Verification may run on tumour slices alone, where the share is three times as high,
and other networks lie closer to their thresholds: 1000.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.targets._require import require
from edgeseg.targets._seal import sealed
from edgeseg.targets.target import (
    ConvertJob,
    Target,
    activation_ranges,
    artifact_contract,
    float_layers,
    require_tensorflow,
)

NAME, LAYOUT = "tflite-int8", "NHWC"
BLOCKS = True
"""Equal codes, and fewer instructions on Arm."""


@sealed
def _convert(job: ConvertJob, path: Path) -> None:
    require("keras", "tensorflow", purpose=f"converting to {NAME}")
    require_tensorflow(job.model, NAME)
    ranges = activation_ranges(job, NAME)
    from edgeseg.targets import _tflite
    from edgeseg.targets._keras import is_plain

    contract = artifact_contract(job, target=NAME, layout=LAYOUT, layers=float_layers(job))
    flat, layers = _tflite.int8_model(job, contract, ranges, blocks=BLOCKS)
    contract = replace(contract, float_layers=layers)
    artifacts.write_bytes(path, _tflite.to_bytes(flat, contract, plain=job.once(is_plain)))


TARGET = Target(
    name=NAME,
    suffix=".tflite",
    runtime="litert",
    precision="int8",
    needs_calibration=True,
    max_flip_ppm=1000.0,
    layout=LAYOUT,
    convert=_convert,
    blocks=BLOCKS,
    profiles=("arm",),
)
