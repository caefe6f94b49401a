"""What rounding to int8 costs, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSensitivity:
    """One layer with a kernel; each figure comes from a converted file with other layers in float.

    `alone_*` compares the file in which only this layer is int8 with the one in which none is, `kept_*` the one in
    which only this layer is float with the one in which all are int8. Signal-to-noise ratios are those of the logits, a
    gain is a difference of two ratios against the float network; None where two files agree in every logit.
    """

    layer: str
    weights: int
    alone_sqnr_db: float | None
    kept_gain_db: float | None
    alone_dice_delta: float
    kept_dice_delta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityResult:
    """All layers, in the order in which they run, measured on `patients` training patients with `slices` slices."""

    variant: str
    target: str
    weights_sha256: str
    data: str
    calibration: str
    patients: int
    slices: int
    numerics: str
    float_dice_mean: float
    int8_dice_mean: float
    int8_sqnr_db: float | None
    layers: tuple[LayerSensitivity, ...]
    seed: int
    versions: dict[str, str]
    schema_version: int = RESULT_SCHEMA_VERSION

    def worst_first(self) -> tuple[LayerSensitivity, ...]:
        """The layers by the noise that each makes alone, most first.

        What keeping a single layer in float gains does not rank them: its result is rounded all the same where the next
        layer is int8.
        """
        return tuple(sorted(self.layers, key=lambda entry: (entry.alone_sqnr_db is None, entry.alone_sqnr_db or 0.0)))
