"""What the runner leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION
from edgeseg.specs import INTENDED_USE, Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSegmentation:
    """One slice that `edgeseg run` segmented; `mask` is relative to the output folder.

    Area and diameter are None where the distance between pixels is unknown. The diameter is the largest distance
    between two corners of pixels of one component, in this slice.
    """

    slice: str
    mask: str
    height_px: int
    width_px: int
    tumour_pixels: int
    tumour_area_mm2: float | None = None
    largest_diameter_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientSegmentation:
    """One patient that `edgeseg run` segmented.

    Latencies are per slice, from decoded bytes to the mask, without reading and writing; `total_ms` has both. What
    the contract's post-processing drops went by the rule named in `post_processing`: `volume` (slices are neighbours),
    `slices` (each slice on its own), or `none` where the contract drops nothing. The work on a volume as a whole counts
    in equal parts towards its slices.

    `input` is `slices`, `nifti`, `dicom` or `grey slices`. `pixel_mm` (distances of rows and of columns), `slice_mm`
    and what is measured with them are None where unknown: the volume is area times `slice_mm`, the diameter the
    largest of any slice. `files` are those written beside the masks of single slices, relative to the output folder.
    """

    patient: str
    slices: int
    slices_with_tumour: int
    tumour_pixels: int
    latency_ms_p50: float
    latency_ms_p95: float
    total_ms: float
    warnings: tuple[str, ...]
    masks: tuple[SliceSegmentation, ...]
    post_processing: str = "none"
    input: str = "slices"
    pixel_mm: tuple[float, float] | None = None
    slice_mm: float | None = None
    tumour_volume_ml: float | None = None
    largest_diameter_mm: float | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What `edgeseg run` leaves in `summary.json`; `load_ms` is what opening the model took, `total_ms` has it all."""

    model: str
    model_sha256: str
    contract: Contract
    runtime: str
    threads: int
    numerics: str
    edgeseg: str
    patients: tuple[PatientSegmentation, ...]
    intended_use: str = INTENDED_USE
    schema_version: int = RESULT_SCHEMA_VERSION
    load_ms: float | None = None
    total_ms: float | None = None
