"""What a chain of compression recipes leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDice:
    """Dice of one of several classes over validation patients, as `NetworkSize` has it of all together."""

    name: str
    dice_mean: float
    dice_median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSize:
    """A float network before or after a recipe.

    `weights_bytes` are those of its float32 arrays and `gzip_bytes` the same compressed; `zero_share` is that of zeros
    among the convolutions' kernel weights, `kernel_values` the most different values that one kernel has. Dice is per
    validation patient at threshold 0.5, without post-processing; of several classes it is their mean, and `classes` has
    each by itself.
    """

    variant: str
    parameters: int
    macs: int
    weights_bytes: int
    gzip_bytes: int
    zero_share: float
    kernel_values: int
    dice_mean: float
    dice_median: float
    classes: tuple[ClassDice, ...] = field(default=(), metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressStep:
    """One recipe: its options, and the network it made; `sha256` is that of its weights file.

    `notes` say what stayed as it was, and why.
    """

    recipe: str
    options: dict[str, str]
    parent_sha256: str
    sha256: str
    size: NetworkSize
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressResult:
    """A chain of recipes: the network that it began with, each step, and the weights that it left.

    `ranges` is the file of learned activation ranges, None without quantization-aware training; `targets` are those
    that the chain was written for.
    """

    parent: str
    parent_sha256: str
    given: NetworkSize
    steps: tuple[CompressStep, ...]
    weights: str
    sha256: str
    ranges: str | None
    targets: tuple[str, ...]
    versions: dict[str, str]
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldCompression:
    """One fold: its folder's name, how many patients it holds out, and what compression made of its network."""

    fold: str
    patients: int
    result: CompressResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCompression:
    """One of several classes over all folds, as `FoldsCompressResult` has all together."""

    name: str
    dice_mean_before: float
    dice_mean_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldsCompressResult:
    """The networks of all folds of a cross-validation, compressed alike.

    The means are over all patients, each scored by the float network that never saw them, before and after; of several
    classes over these as well, and `classes` has each by itself.
    """

    folds: tuple[FoldCompression, ...]
    patients: int
    dice_mean_before: float
    dice_mean_after: float
    classes: tuple[ClassCompression, ...] = field(default=(), metadata={LEFT_OUT: True})
    schema_version: int = RESULT_SCHEMA_VERSION
