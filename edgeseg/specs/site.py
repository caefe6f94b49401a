"""What the web page finds beside it: a network, and made-up heads to try it with."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.specs.app import AppFile
from edgeseg.specs.contract import INTENDED_USE

SITE_SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCase:
    """An example: a zip of PNGs in anatomical order, one volume.

    A picture holds all channels of a slice, grey or RGB; where there are two or more than three, each channel has a
    folder of grey pictures that is named like it.
    """

    name: str
    title: str
    slices: int
    file: AppFile


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteManifest:
    """`site.json`; paths are below the page.

    `engine` runs the network: `onnxruntime` or `litert`. `page` counts the files of the page itself, `size_bytes` has
    all files.
    """

    engine: str
    model: AppFile
    cases: tuple[SiteCase, ...]
    edgeseg: str
    page: int
    size_bytes: int
    intended_use: str = INTENDED_USE
    schema_version: int = SITE_SCHEMA_VERSION
