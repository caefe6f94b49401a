"""What `edgeseg check` holds a build against, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import Environment

BASELINE_SCHEMA_VERSION = 1
CHECK_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineArtifact:
    """What one artifact was when the baseline was taken.

    `dice` holds the Dice of each patient; `latency_ratio` is its median latency over that of the baseline's
    `latency_reference` in the same build. `contract` holds the fields that decide what a device draws, each as JSON
    text, and `contract_sha256` is the digest of them all. `sha256` tells whether the bytes are the same; it is no rule.
    Of several classes `dice` is their mean, and `class_dice` has that of each class, by its name and the patient's.
    """

    artifact: str
    sha256: str
    size_bytes: int
    data: str
    dice: dict[str, float]
    latency_ratio: float | None
    contract: dict[str, str]
    contract_sha256: str
    class_dice: dict[str, dict[str, float]] | None = field(default=None, metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckBaseline:
    """The committed file: what every artifact was, on what machine, and why it was taken.

    `trust` has for each network with a record of `edgeseg trust` the figures of the rules on it, by their names.
    """

    reason: str
    command: str
    weights_sha256: str
    latency_reference: str
    artifacts: tuple[BaselineArtifact, ...]
    environment: Environment
    trust: dict[str, dict[str, float]] | None = field(default=None, metadata={LEFT_OUT: True})
    schema_version: int = BASELINE_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCase:
    """One rule held against one artifact.

    `baseline`, `now` and `limit` are the figures of the rule where it has any: bytes; mean Dice, with the largest drop
    allowed; latency ratios, with the largest growth allowed. `bound` is the one-sided 95 % bound of a mean change of
    Dice: with this certainty no more than that was lost.
    """

    artifact: str
    rule: str
    passed: bool
    detail: str
    baseline: float | None = None
    now: float | None = None
    limit: float | None = None
    bound: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Every rule of every artifact, and on which machines the two sides were measured."""

    baseline: str
    reason: str
    passed: bool
    cases: tuple[CheckCase, ...]
    baseline_environment: Environment
    environment: Environment
    bootstrap_seed: int
    schema_version: int = CHECK_SCHEMA_VERSION
