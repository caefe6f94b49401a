"""Golden vectors: what runners in other languages are tested with. Their format is in tests/golden/README.md."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import RESULT_SCHEMA_VERSION
from edgeseg.specs import GoldenCase, InputLook, Intensity, OutputTrust, PostProcessing


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenImage:
    """One slice as an RGB PNG, a plane a channel: digests of the file, and of its pixels' bytes in row-major order."""

    file: str
    sha256: str
    pixels_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenMask:
    """One expected mask: run lengths in row-major order, 0 first, and the digest of its bytes, 0 and 1."""

    height: int
    width: int
    runs: str
    sha256: str
    tumour_pixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenArtifact:
    """What one artifact draws on the slices, one mask per slice.

    `raw` is without post-processing, `lone_slices` with the contract's rule for slices, `volume` with its rule for
    volumes, `volume_largest_only` keeps the volume's largest component of `raw` alone, and `half_size` is raw on slices
    that hold every second row and column, resampled to the network's size and the logits back.
    """

    target: str
    threshold: float
    normalisation: str
    post_processing: PostProcessing
    made_with: str
    golden: GoldenCase | None
    raw: tuple[GoldenMask, ...]
    lone_slices: tuple[GoldenMask, ...]
    volume: tuple[GoldenMask, ...]
    volume_largest_only: tuple[GoldenMask, ...]
    half_size: tuple[GoldenMask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenSet:
    """Golden vectors of shipped weights, with digests of what they rest on; "" where there is no such file."""

    variant: str
    weights_sha256: str
    ranges_sha256: str
    choice_sha256: str
    patient: str
    slices: tuple[GoldenImage, ...]
    artifacts: tuple[GoldenArtifact, ...]
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenNetwork:
    """A small network of other channels or several classes, slices for it, and what it draws on them.

    Slices are PNGs as `edgeseg.stages.ship.examples.planes` lays them out; the digest of pixels is of `(h, w, C)`. A
    mask holds those of all regions, one below the other: `(R * h, w)`. `masks` are the names of the regions, none where
    there is one mask. `trust_counts` are of each mask those of `TrustVector`, of the volume, None where the contract
    tells nothing of its trust; empty where that holds for all.
    """

    file: str
    sha256: str
    channels: tuple[str, ...]
    masks: tuple[str, ...]
    slices: tuple[GoldenImage, ...]
    lone_slices: tuple[GoldenMask, ...]
    volume: tuple[GoldenMask, ...]
    trust_counts: tuple[tuple[int, ...] | None, ...] = field(default=(), metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenScan:
    """NIfTI files of one volume, and what the network of `model` draws on them.

    `spacing_mm` is of slices, rows and columns. `pixels_sha256` are of the slices, `(h, w, C) uint8`, as they are read,
    from feet to head; masks are as those of `GoldenNetwork`.
    """

    model: str
    files: tuple[str, ...]
    spacing_mm: tuple[float, float, float]
    pixels_sha256: tuple[str, ...]
    volume: tuple[GoldenMask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenClasses:
    """Golden vectors of other channels and several classes."""

    networks: tuple[GoldenNetwork, ...]
    scans: tuple[GoldenScan, ...]
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class ResampleVector:
    """A small image and the network's input that it becomes, both bytes in row-major order, channels last."""

    normalisation: str
    height: int
    width: int
    image: tuple[int, ...]
    network_height: int
    network_width: int
    network_input: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogitVector:
    """Logits on the network's grid, and resampled to another."""

    network_height: int
    network_width: int
    logits: tuple[float, ...]
    height: int
    width: int
    resampled: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentVector:
    """Masks of three slices as run lengths, a rule, and the masks that it leaves."""

    height: int
    width: int
    volume: bool
    rule: PostProcessing
    runs: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableVector:
    """What bytes become by a normalisation, to the last bit.

    `slices` are the slices whose grey values are counted, all of the volume or the one slice, each in row-major order,
    channels last. For each channel `float_bits` has the bits of the float32 that each of `levels` becomes, as a signed
    32-bit integer, and `codes` its int8 code at `code_scale` and `code_zero_point`.
    """

    normalisation: str
    scale: float
    intensity: Intensity | None
    slices: tuple[tuple[int, ...], ...]
    levels: tuple[int, ...]
    float_bits: tuple[tuple[int, ...], ...]
    code_scale: float
    code_zero_point: int
    codes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustVector:
    """Logits of a volume, what is counted on them, and what that means to a contract's `trust.output`.

    `slices` are in row-major order, each value a float32. `counts` are low, middle, high, border, shared and paired, as
    `edgeseg.trust.tally` has them; `features` are empty, and numbers None, where nothing was found.
    """

    height: int
    width: int
    slices: tuple[tuple[float, ...], ...]
    trust: OutputTrust
    counts: tuple[int, int, int, int, int, int]
    features: dict[str, float]
    dice_expected: float | None
    look: bool
    because: str
    low_factor: float | None
    high_factor: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionTrustVector:
    """What the logits of several masks mean together to the `trust` of a contract's regions.

    `masks` has, by number, which of the other vectors has the logits and numbers of each mask, None for one of which
    nothing is told; `names` are those of the regions. The rest is of the patient; `why` is the reason in English.
    """

    names: tuple[str, ...]
    masks: tuple[int | None, ...]
    dice_expected: float | None
    look: bool
    because: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputVector:
    """Slices of a volume on the network's grid, and what they mean to a contract's `trust.input`.

    `slices` are bytes in the order of rows, columns, channels. `looked_at` are the numbers of those that are counted;
    `features` are empty where no point is of the head, `scores` too, and where `look` is None. `kind` is what is told,
    empty for nothing, and `told_channels` the names that it names.
    """

    height: int
    width: int
    channels: tuple[str, ...]
    slices: tuple[tuple[int, ...], ...]
    looked_at: tuple[int, ...]
    look: InputLook | None
    features: tuple[float, ...]
    scores: tuple[float, ...]
    kind: str
    told_channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenUnits:
    """Vectors for the steps around a network.

    `quantised_bytes` holds the codes of the bytes 0 to 255 at `quantised_scale` and `quantised_zero_point`.
    """

    resampled: tuple[ResampleVector, ...]
    logits: tuple[LogitVector, ...]
    quantised_scale: float
    quantised_zero_point: int
    quantised_bytes: tuple[int, ...]
    components: tuple[ComponentVector, ...]
    tables: tuple[TableVector, ...]
    trust: tuple[TrustVector, ...]
    region_trust: tuple[RegionTrustVector, ...]
    inputs: tuple[InputVector, ...]
    schema_version: int = RESULT_SCHEMA_VERSION
