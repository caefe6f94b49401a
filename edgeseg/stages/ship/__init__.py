"""What leaves the workshop: weights with their card, golden vectors, the assets of the tablet app."""

from __future__ import annotations

from edgeseg.stages.ship.android import ASSETS, prepare_app
from edgeseg.stages.ship.golden import UNITS_FILE, golden
from edgeseg.stages.ship.golden_units import units
from edgeseg.stages.ship.ship import ship

__all__ = [
    "ASSETS",
    "UNITS_FILE",
    "golden",
    "prepare_app",
    "ship",
    "units",
]
