"""edgeseg: brain-tumour segmentation networks from a workstation to a tablet, proven per patient."""

from __future__ import annotations

import os

__version__ = "0.1.0"
__all__ = ["__version__"]

# From 1.29 on ONNX Runtime's wheels for Linux and macOS report processes and sessions to their maker.
# Nothing about a scan leaves the machine it lies on; whoever wants the reports sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
