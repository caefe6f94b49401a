"""What the service answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import RESULT_SCHEMA_VERSION
from edgeseg.results.runs import ClassSegmentation, PatientTrust, UnusedFiles, UsedSequence
from edgeseg.specs import INTENDED_USE, MaskRegion


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """Which model answers, and the part of its contract that a reader of masks needs; `size` is rows, columns.

    `self_tested` where it carries a golden case, which this host then drew as expected when the service started.
    `regions` are those of its contract where it draws several masks; `threshold` and what is dropped are then of each.
    `network` is its name, empty where it has none; `variant` is its slug.
    """

    sha256: str
    variant: str
    tier: str
    target: str
    channels: tuple[str, ...]
    size: tuple[int, int]
    threshold: float
    dropped_from_slices: str
    dropped_from_volumes: str
    trained_on: str
    licence: str | None
    runtime: str
    numerics: str
    edgeseg: str
    self_tested: bool
    regions: tuple[MaskRegion, ...] = field(default=(), metadata={LEFT_OUT: True})
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthAnswer:
    """The service is up: threads that segment, and requests that are under way."""

    status: str
    workers: int
    under_way: int
    model: ServedModel
    intended_use: str = INTENDED_USE


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAnswer:
    """Whether the process lives (`live`), or takes requests (`ready`) or soon will not (`draining`)."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedClass:
    """One of several masks in one slice: its pixels, and its runs where they were asked for, as those of a slice."""

    name: str
    label: int
    pixels: int
    runs: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedSlice:
    """One slice, on its own grid, in the order of the request.

    `png` is a base64 PNG of 0 and 255; `runs` are start, length, start, length ... of the tumour pixels, counted row by
    row from 0. Each is null where it was not asked for, as are area and diameter where the spacing is not known. Where
    the network draws several masks, `png` is a map of their labels with a palette, in which the later one counts where
    two overlap, `classes` has each by itself, and all else is of them together.
    """

    slice: str
    height_px: int
    width_px: int
    tumour_pixels: int
    tumour_area_mm2: float | None
    largest_diameter_mm: float | None
    png: str | None = None
    runs: tuple[int, ...] | None = None
    classes: tuple[ServedClass, ...] = field(default=(), metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFile:
    """One file that holds the masks of the whole scan, in base64."""

    name: str
    b64: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedTimes:
    """Milliseconds: waiting for a thread, per slice from decoded bytes to mask, and all from body to answer."""

    waited_ms: float
    slice_ms_p50: float
    slice_ms_p95: float
    total_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentAnswer:
    """What `/v1/segment` answers; see `PatientSegmentation` for what the fields mean."""

    input: str
    slices: tuple[ServedSlice, ...]
    files: tuple[ServedFile, ...]
    slices_with_tumour: int
    tumour_pixels: int
    tumour_volume_ml: float | None
    largest_diameter_mm: float | None
    pixel_mm: tuple[float, float] | None
    slice_mm: float | None
    post_processing: str
    warnings: tuple[str, ...]
    times: ServedTimes
    model: ServedModel
    used: tuple[UsedSequence, ...] = ()
    unused: tuple[UnusedFiles, ...] = ()
    classes: tuple[ClassSegmentation, ...] = field(default=(), metadata={LEFT_OUT: True})
    trust: PatientTrust | None = field(default=None, metadata={LEFT_OUT: True})
    odd_input: str = field(default="", metadata={LEFT_OUT: True})
    intended_use: str = INTENDED_USE
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One instance's answer; Vertex AI passes on predictions alone, so each says which model drew it."""

    slice: ServedSlice
    warnings: tuple[str, ...]
    model_sha256: str
    intended_use: str = INTENDED_USE


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictAnswer:
    """What the route of the Vertex AI contract answers: one prediction per instance, in their order."""

    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """What was given, what the rule is, and what to do."""

    error: str
