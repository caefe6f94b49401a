"""TFLite with int16 activations and int8 weights: `(1, H, W, 3) int16` (pixel byte) -> `(1, H, W, 1) int16` logits.

For integer units that have such kernels. XNNPACK has none, so on a CPU LiteRT takes its plain kernels, which are many
times slower than `tflite-fp32`. What is left of the error is that of the int8 weights, and of values outside the
calibrated ranges.

The tolerance: alphax 0.125 half as shipped flipped 32 pixels per million on 82 slices of three held-out patients, half
of what `tflite-int8` flipped there (75 against 226 on the slices with tumour). Half of the room of int8: 500.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeseg import artifacts
from edgeseg.targets._require import require
from edgeseg.targets._seal import sealed
from edgeseg.targets.target import ConvertJob, Target, activation_ranges, artifact_contract, require_tensorflow

NAME, LAYOUT = "tflite-int16x8", "NHWC"


@sealed
def _convert(job: ConvertJob, path: Path) -> None:
    require("keras", "tensorflow", purpose=f"converting to {NAME}")
    require_tensorflow(job.model, NAME)
    ranges = activation_ranges(job, NAME)
    from edgeseg.targets import _tflite, _tflite_int16
    from edgeseg.targets._keras import is_plain

    contract = artifact_contract(job, target=NAME, layout=LAYOUT)
    flat = _tflite_int16.int16x8_model(job.model, contract, ranges)
    artifacts.write_bytes(path, _tflite.to_bytes(flat, contract, plain=is_plain(job.model)))


def _barred(model: Any) -> str | None:
    from edgeseg.targets._tflite_int16 import barred

    return barred(model)


TARGET = Target(
    name=NAME,
    suffix=".tflite",
    runtime="litert",
    precision="int16x8",
    needs_calibration=True,
    max_flip_ppm=500.0,
    layout=LAYOUT,
    convert=_convert,
    note="for integer units; many times slower on a CPU",
    barred=_barred,
)
