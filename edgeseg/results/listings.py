"""What there is to choose from."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION
from edgeseg.results.network import Census, Tier
from edgeseg.specs import VariantSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTarget:
    """A file format; fields as in `edgeseg.targets.Target`."""

    name: str
    suffix: str
    runtime: str
    precision: str
    needs_calibration: bool
    max_flip_ppm: float
    layout: str
    companions: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetList:
    """The file formats that a build can make."""

    targets: tuple[ListedTarget, ...]
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedVariant:
    """A network, what it holds and computes, and whether its trained weights ship, under which name."""

    variant: str
    spec: VariantSpec
    census: Census
    weights: bool
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantList:
    """The networks and the tiers."""

    variants: tuple[ListedVariant, ...]
    tiers: tuple[Tier, ...]
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyList:
    """What `edgeseg key show` finds: the file of the patient key, and the ids of its keys, the one in use first."""

    file: str
    keys: tuple[str, ...]
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """What the cache keeps under one name: decoded slices, a baseline ...; `path` is relative to the cache."""

    path: str
    size_bytes: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheList:
    """What `edgeseg cache list` finds, or `edgeseg cache clear` removed; `folder` is the cache."""

    folder: str
    entries: tuple[CacheEntry, ...]
    schema_version: int = RESULT_SCHEMA_VERSION

    @property
    def size_bytes(self) -> int:
        """All of it."""
        return sum(entry.size_bytes for entry in self.entries)
