"""edgeseg: brain-tumour segmentation networks from a workstation to a tablet, proven per patient."""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["__version__"]
