"""Frozen inputs: what a caller decides. No arrays, no I/O; each validates itself when it is made."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path

from edgeseg.errors import OptionError

CONTRACT_SCHEMA_VERSION = 1
CHANNELS = ("pre", "flair", "post")
"""The channels of a slice, in the order that every reader gives."""
AUGMENTATIONS = ("flips", "none", "rich", "scanner", "strong", "upright")
NORMALISATIONS = ("unit", "slice")
"""`unit`: grey values as they are; `slice`: each channel of a slice stretched to its own range (`imaging.stretch`)."""
INTENDED_USE = "Research use only. Not a medical device; not for diagnosis or treatment."


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """The image a network takes: `(N, height, width, len(channels)) float32 in [0, 1], NHWC`."""

    height: int = 256
    width: int = 256
    channels: tuple[str, ...] = CHANNELS

    def __post_init__(self) -> None:
        """Refuse empty images."""
        if self.height < 1 or self.width < 1 or not self.channels:
            raise OptionError(f"an image of {self.height} x {self.width} x {len(self.channels)} is empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSpec:
    """Which network: a family, the multiplier of every width, the form of its stem, and how widths grow with depth.

    `profile` is `double` (64, 128 ... 1024 channels at alpha 1.0, as in the U-Net) or `flat` (128 on every level).
    `stem` is `full` (first level at the image's resolution), or `half` or `quarter`: the image enters through a
    convolution of stride 2 or 4, the space-to-depth form, and leaves through a transposed one of the same stride.
    """

    name: str = "alphax"
    alpha: float = 0.125
    stem: str = "half"
    profile: str = "double"

    def __post_init__(self) -> None:
        """Refuse widths outside (0, 1] and unknown stems and profiles."""
        if not 0.0 < self.alpha <= 1.0:
            raise OptionError(f"alpha is {self.alpha}; it multiplies every width and must lie in (0, 1]")
        if self.stem not in ("full", "half", "quarter"):
            raise OptionError(f"stem is '{self.stem}'; choose one of: full, half, quarter")
        if self.profile not in ("double", "flat"):
            raise OptionError(f"profile is '{self.profile}'; choose one of: double, flat")

    @property
    def slug(self) -> str:
        """A short name fit for files and tables: `unet`, `alphax-0.125-half`, `alphax-0.25-half-flat`."""
        parts = [self.name]
        if self.alpha != 1.0:
            parts.append(f"{self.alpha:g}")
        if self.stem != "full":
            parts.append(self.stem)
        if self.profile != "double":
            parts.append(self.profile)
        return "-".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSpec:
    """Everything that decides what training does; two equal specs on one machine and backend give equal weights.

    `empty_share` is the share of each batch drawn from tumour-free slices. `crop_px` is the side of the square
    training crop. `schedule` is `cosine` (with `warmup_steps`, to zero) or `fixed`. `augment` is `rich` (flips,
    rotation, scale, gain and gamma), `upright` (the same without the vertical flip), `strong` (wider than `rich`, with
    bending and noise), `scanner` (`strong` with one more gain for all channels), `flips` (horizontal only, as in the
    original study) or `none`. With a chance of `missing_share` FLAIR stands in for the pre-contrast sequence, the
    post-contrast one or both, as it does in the data set where one is missing. An epoch is one pass over as many tumour
    slices as there are, unless `steps_per_epoch` says otherwise. `ema` is the
    decay of the exponential moving average of the weights that is kept beside them and shipped; 0 switches it off.
    `normalisation` is that of `Contract`. `distil_weight` is how much of the target of the cross-entropy comes from the
    `teachers` (SHA-256 of their weights) and not from the reference. `initial` is the SHA-256 of the weights to start
    from, None for drawn ones.
    """

    variant: VariantSpec = field(default_factory=VariantSpec)
    epochs: int = 120
    seed: int = 0
    batch_size: int = 16
    crop_px: int = 192
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warmup_steps: int = 100
    schedule: str = "cosine"
    loss: str = "bce-dice"
    augment: str = "rich"
    empty_share: float = 0.3125
    ema: float = 0.998
    steps_per_epoch: int | None = None
    missing_share: float = 0.0
    normalisation: str = "unit"
    distil_weight: float = 0.0
    teachers: tuple[str, ...] = ()
    initial: str | None = None

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        choices = {
            "schedule": ("cosine", "fixed"),
            "augment": AUGMENTATIONS,
            "normalisation": NORMALISATIONS,
            "loss": ("bce", "bce-dice", "dice", "focal-tversky"),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise OptionError(f"{name} is '{getattr(self, name)}'; choose one of: {', '.join(known)}")
        rules = (
            (self.epochs >= 1, f"epochs is {self.epochs}; it must be at least 1"),
            (self.seed >= 0, f"seed is {self.seed}; it must be at least 0"),
            (self.batch_size >= 1, f"batch_size is {self.batch_size}; it must be at least 1"),
            (self.crop_px >= 16, f"crop_px is {self.crop_px}; it must be at least 16"),
            (self.learning_rate > 0, f"learning_rate is {self.learning_rate}; it must be positive"),
            (self.weight_decay >= 0, f"weight_decay is {self.weight_decay}; it must be at least 0"),
            (self.warmup_steps >= 0, f"warmup_steps is {self.warmup_steps}; it must be at least 0"),
            (0 <= self.empty_share < 1, f"empty_share is {self.empty_share}; it must lie in [0, 1)"),
            (0 <= self.ema < 1, f"ema is {self.ema}; it must lie in [0, 1)"),
            (0 <= self.missing_share <= 1, f"missing_share is {self.missing_share}; it must lie in [0, 1]"),
            (0 <= self.distil_weight <= 1, f"distil_weight is {self.distil_weight}; it must lie in [0, 1]"),
            (
                (self.distil_weight > 0) == bool(self.teachers),
                f"distil_weight is {self.distil_weight} with {len(self.teachers)} teacher(s); distillation needs both",
            ),
            (
                self.distil_weight == 0 or self.loss in ("bce", "bce-dice"),
                f"loss is '{self.loss}', which has no cross-entropy to distil through; choose one of: bce, bce-dice",
            ),
            (self.steps_per_epoch is None or self.steps_per_epoch >= 1, "steps_per_epoch must be at least 1"),
        )
        for good, message in rules:
            if not good:
                raise OptionError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostProcessing:
    """Which connected components of a mask are too small to keep; 0 switches a rule off, and all are off by default.

    Sizes are in pixels of the contract's grid. A lone slice loses its components of fewer than `min_area_px` pixels; a
    volume those of fewer than `min_volume_px` voxels, and those smaller than `min_share` of its largest one (1.0 keeps
    the largest alone). `edgeseg.components` has the definition step by step.
    """

    min_area_px: int = 0
    min_volume_px: int = 0
    min_share: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative sizes and shares outside [0, 1]."""
        for name in ("min_area_px", "min_volume_px"):
            if getattr(self, name) < 0:
                raise OptionError(f"{name} is {getattr(self, name)}; 0 (off) or more pixels are needed")
        if not 0.0 <= self.min_share <= 1.0:
            raise OptionError(f"min_share is {self.min_share}; a share of the largest component lies in [0, 1]")

    def applies(self, *, volume: bool) -> bool:
        """Whether a rule is on for volumes, or for lone slices."""
        return self.min_volume_px > 0 or self.min_share > 0 if volume else self.min_area_px > 0

    def describe(self, *, volume: bool) -> str:
        """Say in a few words what is dropped from volumes, or from lone slices; `none` where nothing is."""
        volumes = (
            f"under {self.min_volume_px} voxels" * (self.min_volume_px > 0),
            f"under {self.min_share:g} of the largest" * (self.min_share > 0),
        )
        parts = volumes if volume else (f"under {self.min_area_px} pixels" * (self.min_area_px > 0),)
        said = " or ".join(filter(None, parts))
        return f"components {said} dropped" if said else "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a device must know to run an artifact; it travels inside the artifact.

    The image is `uint8` in `channels` order, resampled to `height` x `width`, stretched where `normalisation` is
    `slice`, multiplied by `scale` into [0, 1] and laid out as `layout`. The artifact returns logits; a pixel is tumour
    when its logit is above `logit_threshold` and `post_processing` does not drop its component. `seen_patients` holds
    `patient_digest(id)` of every patient that training or calibration used, so that a tool can refuse to evaluate on
    them without the ids being readable. `licence` is that of the weights, None where edgeseg cannot know it.
    """

    variant: VariantSpec
    tier: str
    target: str
    layout: str
    schema_version: int = CONTRACT_SCHEMA_VERSION
    channels: tuple[str, ...] = CHANNELS
    height: int = 256
    width: int = 256
    normalisation: str = "unit"
    scale: float = 1.0 / 255.0
    threshold: float = 0.5
    post_processing: PostProcessing = field(default_factory=PostProcessing)
    trained_on: str = "phantom"
    training_hash: str | None = None
    calibrated_on: str | None = None
    calibration_hash: str | None = None
    seen_patients: tuple[str, ...] = ()
    licence: str | None = None
    intended_use: str = INTENDED_USE

    def __post_init__(self) -> None:
        """Refuse a layout, size, scale or threshold that no runner could honour."""
        if self.layout not in ("NHWC", "NCHW"):
            raise OptionError(f"layout is '{self.layout}'; choose one of: NCHW, NHWC")
        if self.normalisation not in NORMALISATIONS:
            raise OptionError(f"normalisation is '{self.normalisation}'; choose one of: {', '.join(NORMALISATIONS)}")
        if not 0.0 < self.threshold < 1.0:
            raise OptionError(f"threshold is {self.threshold}; a probability strictly between 0 and 1 is needed")
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise OptionError(f"scale is {self.scale}; what a byte is multiplied by must be positive and finite")
        if self.height < 1 or self.width < 1:
            raise OptionError(f"the image is {self.height} x {self.width}; each side must be at least 1 pixel")

    @property
    def logit_threshold(self) -> float:
        """The threshold in logit space, `log(p / (1 - p))`."""
        return math.log(self.threshold / (1.0 - self.threshold))

    @property
    def image(self) -> ImageSpec:
        """The network's input as an `ImageSpec`."""
        return ImageSpec(height=self.height, width=self.width, channels=self.channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """What `edgeseg build` is asked for.

    Without `data` the build rests on phantoms; without `checkpoint` on the weights that ship. `choice` is a file of
    `edgeseg choose` that sets threshold and post-processing; without it those that ship with shipped weights are taken,
    and the default with others. `threads` is what every runtime gets. `calibration_slices` are chosen among the
    patients of `data` that trained the weights, 128 unless given; where there are none, the shipped ranges or phantoms
    are taken as they are, and a number is refused. `verify_patients` bounds how many of the evaluated patients the
    parity check runs over.
    """

    variant: VariantSpec
    targets: tuple[str, ...]
    out: Path
    data: Path | None = None
    checkpoint: Path | None = None
    choice: Path | None = None
    seed: int = 0
    threads: int = 2
    calibration_slices: int | None = None
    phantom_patients: int = 8
    verify_patients: int = 8
    bench_runs: int = 100
    bench_budget_s: float = 10.0
    allow_seen: bool = False
    rebuild: bool = False
    command: str = "edgeseg build"

    def __post_init__(self) -> None:
        """Refuse counts that measure nothing."""
        if not self.targets:
            raise OptionError("no target was named; see 'edgeseg targets', or give --target all")
        for name in ("threads", "calibration_slices", "phantom_patients", "verify_patients", "bench_runs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise OptionError(f"{name.replace('_', '-')} is {value}; it must be at least 1")
        if self.seed < 0:
            raise OptionError(f"seed is {self.seed}; it must be at least 0")
        if not self.bench_budget_s > 0:
            raise OptionError(f"bench-budget-s is {self.bench_budget_s}; it must be positive")


def patient_digest(patient: str) -> str:
    """Return the first 8 hex digits of the SHA-256 of a patient id, as used in `Contract.seen_patients`."""
    return hashlib.sha256(patient.encode()).hexdigest()[:8]
