"""The original study's claims beside what is measured here."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One sentence of the original study, and what is known to be wrong with the way it was found."""

    title: str
    claimed: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredClaim:
    """A claim beside what is measured: as a figure, and how it was found."""

    claim: Claim
    measured: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsResult:
    """The page that was written, and what stands on it."""

    page: str
    rests_on_phantoms: bool
    inputs: tuple[str, ...]
    claims: tuple[MeasuredClaim, ...]
    schema_version: int = RESULT_SCHEMA_VERSION
