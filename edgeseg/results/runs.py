"""What the runner leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import RESULT_SCHEMA_VERSION
from edgeseg.specs import INTENDED_USE, Contract

DONE, FAILED = "done", "failed"


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
class PatientTrust:
    """How far the mask of a volume is to be trusted, as the network's output tells.

    Of several masks it is that of all together, without an interval; each has its own beside it.
    `dice_expected` is None where no tumour was found. `look` says that a person should look at this one first, and
    `why` in plain words (`because` is the feature, as in the contract). In a share `coverage` of patients like those
    that the numbers were fitted on the true volume lies between the two ends; both are None where the volume is
    unknown or nothing was found.
    """

    dice_expected: float | None
    look: bool
    because: str
    why: str
    volume_low_ml: float | None
    volume_high_ml: float | None
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSegmentation:
    """One class of a patient: its value in maps of labels, its pixels, overlaps included, and its volume if known.

    `slices` are those that show it, and `largest_diameter_mm` is the largest of any slice, as that of a patient.
    `trust` is None where nobody measured it, and where nothing was found.
    """

    name: str
    label: int
    pixels: int
    volume_ml: float | None
    slices: int = 0
    largest_diameter_mm: float | None = None
    trust: PatientTrust | None = field(default=None, metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedSequence:
    """Which files a sequence was read from.

    `sequence` is a channel of the network, or all of them for pictures that hold them. `series` is, of a DICOM
    series, its number and what it is taken for, else the name of a file or folder. `evidence` says why it was taken for
    this sequence; `named by the user` where nothing had to be found out.
    """

    sequence: str
    input: str
    series: str
    files: int
    slices: int
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedFiles:
    """Files or a series that lay beside what was used, and why they were not."""

    name: str
    files: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesListing:
    """One series as `edgeseg run --list` shows it: what it would be taken for (None for nothing), and why."""

    source: str
    input: str
    number: int | None
    description: str
    plane: str
    slices: int
    files: int
    taken_for: str | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesList:
    """What `edgeseg run --list` prints."""

    series: tuple[SeriesListing, ...]
    unused: tuple[UnusedFiles, ...]
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientSegmentation:
    """One patient that `edgeseg run` segmented.

    Latencies are per slice, from decoded bytes to the mask, without reading and writing; `total_ms` has both. What
    the contract's post-processing drops went by the rule named in `post_processing`: `volume` (slices are neighbours),
    `slices` (each slice on its own), or `none` where the contract drops nothing. The work on a volume as a whole counts
    in equal parts towards its slices.

    `input` is `slices`, `nifti`, `dicom` or `grey slices`. `pixel_mm` (distances of rows and of columns), `slice_mm`
    and what is measured with them are None where unknown: the volume is area times `slice_mm`, the diameter the
    largest of any slice. `used` and `unused` say what was read and what was not. `files` are those written beside the
    masks of single slices, relative to the output folder.

    `status` is `done` or `failed`; a failed patient has a `reason`, no masks, and 0 for what is counted. Rows of
    several runs may stand in one summary, so each says which model drew it. `inputs_digest` stands for the files that
    were read (places, sizes and times), `options_digest` for the options: `edgeseg run --resume` skips what has both
    and the model in common. `place_digest` stands for the folder: masks from another one
    are not written over. `earlier_files` are those of an earlier run that are still there beside a failed one. Where
    the network draws several masks, what is counted here is of all together, and `classes` has each by itself. `trust`
    is None where the contract has no numbers for it, and for slices that are no volume. `odd_input` is `copied`,
    `missing`, `empty` or a sign of the contract where the input looks odd, and else empty; `warnings` say it in words.
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
    used: tuple[UsedSequence, ...] = ()
    unused: tuple[UnusedFiles, ...] = ()
    status: str = DONE
    reason: str | None = None
    model: str = ""
    model_sha256: str = ""
    inputs_digest: str = ""
    place_digest: str = ""
    options_digest: str = ""
    earlier_files: tuple[str, ...] = ()
    classes: tuple[ClassSegmentation, ...] = field(default=(), metadata={LEFT_OUT: True})
    trust: PatientTrust | None = field(default=None, metadata={LEFT_OUT: True})
    odd_input: str = field(default="", metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What `edgeseg run` leaves in `summary.json`; `load_ms` is what opening the model took, `total_ms` has it all.

    `patients` are those of all runs into the folder, the last run of each; all else is of the last run.
    `network` is the name of the network that the model is a file of, empty where it has none.
    """

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
    network: str = ""
