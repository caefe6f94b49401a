"""What leaves the workshop: weights with their card, golden vectors, the assets of the tablet app, the web page."""

from __future__ import annotations

from edgeseg.stages.ship.android import ASSETS, prepare_app
from edgeseg.stages.ship.class_vectors import CLASSES_FOLDER, class_vectors
from edgeseg.stages.ship.convert import (
    SHIPPED_TARGETS,
    convert_shipped,
    files_are_stale,
    kept_targets,
    network_file,
    sources,
    write_files,
)
from edgeseg.stages.ship.host import serve_site
from edgeseg.stages.ship.identity import Naming
from edgeseg.stages.ship.ship import ship
from edgeseg.stages.ship.site import write_site
from edgeseg.stages.ship.terms import Terms
from edgeseg.stages.ship.unit_vectors import units
from edgeseg.stages.ship.vectors import UNITS_FILE, golden

__all__ = [
    "ASSETS",
    "CLASSES_FOLDER",
    "SHIPPED_TARGETS",
    "UNITS_FILE",
    "Naming",
    "Terms",
    "class_vectors",
    "convert_shipped",
    "files_are_stale",
    "golden",
    "kept_targets",
    "network_file",
    "prepare_app",
    "serve_site",
    "ship",
    "sources",
    "units",
    "write_files",
    "write_site",
]
