"""Frozen outputs: what a stage found. Units are in the names, no arrays, JSON round trip through `edgeseg.jsonio`."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.specs import INTENDED_USE, Contract, PostProcessing

RESULT_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with its 95 % percentile-bootstrap interval over patients."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where a figure was measured."""

    cpu: str
    cores: int
    os: str
    python: str
    int8_kernels: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One epoch of a learning curve; `seconds` is its training time, Dice is None where it was not validated."""

    epoch: int
    step: int
    loss: float
    seconds: float
    dice_mean: float | None
    dice_median: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training run leaves behind; `history` holds the epochs of this run and of those it resumed.

    `devices` trained together, each on its share of every batch. `images_per_second` is that of this run's epochs,
    None where none was left to train.
    """

    variant: str
    weights: str
    sha256: str
    seed: int
    backend: str
    train_patients: int
    validation_patients: int
    steps: int
    images_per_second: float | None
    history: tuple[EpochRecord, ...]
    versions: dict[str, str]
    devices: int = 1
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientScore:
    """One patient, over the whole volume; see `edgeseg.metrics` for each definition.

    `hd95_px` is None where prediction or reference is empty and the other is not (no distance exists).
    """

    patient: str
    institution: str
    slices: int
    dice: float
    iou: float
    precision: float
    recall: float
    pixel_accuracy: float
    hd95_px: float | None
    lesions: int
    lesions_found: int
    tumour_free_slices: int
    false_positive_slices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstitutionScore:
    """The patients of one institution together."""

    institution: str
    patients: int
    dice_mean: float
    dice_median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalResult:
    """How one artifact does on patients; `seen_patients` > 0 only when the caller insisted.

    `lesion_recall` is None where no patient has a lesion, `false_positive_slice_rate` where no slice is tumour-free.
    `post_processing` is what was applied to the volumes, all off where raw masks were scored; `flips` are the test-time
    flips whose mean logits were scored, a key of `edgeseg.stages.predictor.FLIPS`.
    """

    artifact: str
    data: str
    patients: tuple[PatientScore, ...]
    dice: Interval
    dice_median: float
    iou_mean: float
    precision_mean: float
    recall_mean: float
    pixel_accuracy_mean: float
    hd95_px_median: float | None
    hd95_undefined: int
    lesion_recall: float | None
    false_positive_slice_rate: float | None
    institutions: tuple[InstitutionScore, ...]
    threshold: float
    numerics: str
    seen_patients: int
    bootstrap_seed: int
    bootstrap_samples: int
    post_processing: PostProcessing = field(default_factory=PostProcessing)
    flips: str = "none"
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityResult:
    """One artifact against the float Keras network on the same inputs.

    `flips_ppm` is the number of mask pixels that differ at the operating threshold, per million pixels.
    """

    artifact: str
    reference: str
    slices: int
    max_logit_difference: float
    flipped_pixels: int
    flips_ppm: float
    worst_slice: str
    worst_slice_flipped_pixels: int
    max_flip_ppm: float
    passed: bool
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyResult:
    """Single-slice latency of one artifact, after warm-up, in one interleaved run with its peers."""

    artifact: str
    runtime: str
    threads: int
    runs: int
    warmup_runs: int
    latency_ms_p50: float
    latency_ms_p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineResult:
    """The file everything starts from: the full-width U-Net with Adam's state, as Keras saves it."""

    variant: str
    parameters: int
    size_bytes: int
    weights_size_bytes: int
    derivation: str
    latency: LatencyResult | None
    environment: Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRow:
    """Everything a report says about one artifact; a part that was not measured is None, never a guess."""

    artifact: str
    variant: str
    tier: str
    target: str
    path: str
    sha256: str
    size_bytes: int
    gzip_size_bytes: int
    parameters: int
    macs: int
    parity: ParityResult | None
    evaluation: EvalResult | None
    latency: LatencyResult | None
    dice_delta_to_float: Interval | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """One line of a build: a stage, its time, and whether it was taken from an earlier run."""

    stage: str
    seconds: float
    reused: bool
    fingerprint: str
    outputs: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What `edgeseg build` leaves in `build.json`.

    `calibrated_on` is the data that int8 ranges were measured on, None where no int8 target was built; `calibration`
    says the same in words, with the number of slices and whether they were measured or shipped.
    """

    command: str
    seed: int
    data: str
    weights: str
    weights_sha256: str
    rests_on_phantoms: bool
    training_patients: int
    calibrated_on: str | None
    calibration_patients: int
    baseline: BaselineResult | None
    artifacts: tuple[ArtifactRow, ...]
    stages: tuple[StageRecord, ...]
    environment: Environment
    calibration: str | None = None
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSegmentation:
    """One slice that `edgeseg run` segmented; `mask` is relative to the output folder."""

    slice: str
    mask: str
    height_px: int
    width_px: int
    tumour_pixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientSegmentation:
    """One patient that `edgeseg run` segmented.

    Latencies are per slice, from decoded bytes to the mask, without reading and writing; `total_ms` has both. What
    the contract's post-processing drops went by the rule named in `post_processing`: `volume` (slices are neighbours),
    `slices` (each slice on its own), or `none` where the contract drops nothing. The work on a volume as a whole counts
    in equal parts towards its slices.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What `edgeseg run` leaves in `summary.json`."""

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
