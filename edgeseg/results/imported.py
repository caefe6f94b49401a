"""What importing a network found."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.scores import ParityResult
from edgeseg.specs import MaskRegion

IMPORT_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What `edgeseg import` leaves in a run and prints with --json.

    `network` names it in every table. `kind`, `file`, `size_bytes`, `sha256` and `framework` describe the file that was
    given, `output`, `head` and `foreground`, or `regions` of several masks, what is used of it; `notes` say what was
    done and what was assumed.
    `parity` holds the network in the run against that file in its own runtime, `runtime`, on slices of phantoms.
    `key` changes with all that decided the import.
    """

    network: str
    run: str
    kind: str
    file: str
    size_bytes: int
    sha256: str
    framework: str
    parameters: int
    macs: int
    height: int
    width: int
    channels: tuple[str, ...]
    normalisation: str
    scale: float
    threshold: float
    output: str
    head: str
    foreground: tuple[int, ...]
    notes: tuple[str, ...]
    runtime: str
    parity: ParityResult
    regions: tuple[MaskRegion, ...] = ()
    key: str = ""
    schema_version: int = IMPORT_SCHEMA_VERSION
