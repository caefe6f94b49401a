"""What int8 artifacts gave on other processors than the host's, and what that says about a figure of this host."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION, Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceArtifact:
    """One file that was run; `profile` is the build profile of int8, None for float."""

    name: str
    variant: str
    target: str
    profile: str | None
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRun:
    """One int8 artifact on one processor, held against the integer arithmetic of the host on the same slices.

    A code is one of the 256 values of an int8 logit; a pixel is flipped when its mask differs at the threshold.
    `host_tumour_pixels` are those of the host's masks, so that masks which are all empty prove nothing unseen.
    """

    artifact: str
    processor: str
    emulator: str
    runtime: str
    data: str
    slices: int
    pixels: int
    host_tumour_pixels: int
    differing_codes: int
    max_code_difference: int
    flipped_pixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCodes:
    """The SHA-256 of the logit codes of each replay slice, as one processor gave them."""

    artifact: str
    processor: str
    runtime: str
    slice_sha256: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionCount:
    """Instructions of one inference under an emulator, the mean over some; never a latency.

    `spread` is the largest of them less the smallest, as a share of the mean.
    """

    artifact: str
    processor: str
    emulator: str
    runtime: str
    inferences: int
    instructions_per_slice: int
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvidence:
    """What `make test-device` found; `replay_sha256` is that of the phantom slices that `codes` belong to."""

    command: str
    environment: Environment
    replay_sha256: str
    artifacts: tuple[DeviceArtifact, ...]
    runs: tuple[DeviceRun, ...]
    codes: tuple[DeviceCodes, ...]
    instructions: tuple[InstructionCount, ...]
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFigure:
    """Whether what an int8 artifact computes on this host is what it computes on Arm.

    `equals_arm` is None where that is not shown. `reasons` say how it is known; `replayed_slices` were run here and
    compared with the codes that Arm gave, `replayed_equal` of them were equal in every code.
    """

    numerics: str
    equals_arm: bool | None
    reasons: tuple[str, ...]
    replayed_slices: int = 0
    replayed_equal: int = 0
