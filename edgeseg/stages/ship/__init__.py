"""What leaves the workshop: weights with their card, golden vectors, the assets of the tablet app."""

from __future__ import annotations

from edgeseg.stages.ship.android import ASSETS, prepare_app
from edgeseg.stages.ship.ship import ship
from edgeseg.stages.ship.unit_vectors import units
from edgeseg.stages.ship.vectors import UNITS_FILE, golden

__all__ = [
    "ASSETS",
    "UNITS_FILE",
    "golden",
    "prepare_app",
    "ship",
    "units",
]
