"""What a device's check of itself found."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """An artifact's golden case, run on this device.

    `flipped_pixels` differ from the mask that the contract expects, of `pixels`; `logit_off_max` is the largest
    difference at the pixels whose logits it holds. `made_with` drew the expected mask, `runtime` and `numerics` this
    one. `int8_kernels` says what a probe found of ONNX Runtime's integer arithmetic here. `network` is the
    name of the network that the artifact is a file of, empty where it has none.
    """

    artifact: str
    target: str
    runtime: str
    numerics: str
    threads: int
    int8_kernels: str
    made_with: str
    pixels: int
    expected_tumour_pixels: int
    tumour_pixels: int
    flipped_pixels: int
    allowed_flips: int
    logit_off_max: float
    logit_tolerance: float
    reason: str
    passed: bool
    schema_version: int = RESULT_SCHEMA_VERSION
    network: str = ""
