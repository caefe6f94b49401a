"""Through which axis of a volume the slices lie that a network takes."""

from __future__ import annotations

from edgeseg.errors import OptionError

AXIAL = "axial"
PLANES = (AXIAL, "coronal", "sagittal")
"""The default first: from feet to head, from front to back, from the patient's right to the left."""


def check_plane(plane: str) -> None:
    """Refuse a name that is not in `PLANES`.

    Raises:
        OptionError: with the names there are.
    """
    if plane not in PLANES:
        raise OptionError(f"plane is '{plane}'; choose one of: {', '.join(PLANES)}")
