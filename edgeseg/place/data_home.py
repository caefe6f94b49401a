"""The user's folder for data, which holds networks that somebody shipped for themselves."""

from __future__ import annotations

import os
from pathlib import Path

DATA_VARIABLE = "XDG_DATA_HOME"


def data_place() -> Path | None:
    """Return `$XDG_DATA_HOME/edgeseg` or `~/.local/share/edgeseg`; None where there is no home. Nothing is made."""
    try:
        return Path(os.environ.get(DATA_VARIABLE) or Path.home() / ".local" / "share") / "edgeseg"
    except RuntimeError:
        return None
