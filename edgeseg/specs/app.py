"""What the tablet app finds in its assets: a model, cases to look at, and the masks that the model should draw."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.specs.contract import INTENDED_USE

APP_SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFile:
    """A file of the bundle: its path below the folder of the manifest, and what it must be."""

    file: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCase:
    """A case of the app.

    `images` are PNGs in anatomical order: of three channels RGB, a plane a channel, of others grey, their planes one
    below another; `height` and `width` are those of one plane. `references` are the reference masks beside them (PNG,
    0 and 255), none where the model draws several. `expected` holds the mask that the model draws on each image, on the
    image's own grid, as run lengths (docs/reference/contract.md), several one below another; `volume` says whether
    components join across slices or each image stands alone. A case that is not `shown` is for tests.
    """

    name: str
    title: str
    shown: bool
    volume: bool
    height: int
    width: int
    images: tuple[AppFile, ...]
    references: tuple[AppFile, ...]
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppManifest:
    """The bundle; how many pixels may differ from `expected` is what the model's contract allows on its golden case."""

    model: AppFile
    made_with: str
    cases: tuple[AppCase, ...]
    intended_use: str = INTENDED_USE
    schema_version: int = APP_SCHEMA_VERSION
