"""edgeseg: brain-tumour segmentation networks from a workstation to a tablet, proven per patient.

`edgeseg.load`, `edgeseg.open_scan`, `edgeseg.import_network` and `edgeseg.build` are those of `edgeseg.api`; they are
imported when they are first used, so that importing edgeseg costs nothing.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

__version__ = "0.3.0"
__all__ = ["__version__", "build", "import_network", "load", "open_scan"]

# From 1.29 on ONNX Runtime's wheels for Linux and macOS report processes and sessions to their maker.
# Nothing about a scan leaves the machine it lies on; whoever wants the reports sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("edgeseg.api"), name)
    raise AttributeError(f"module 'edgeseg' has no attribute '{name}'")
