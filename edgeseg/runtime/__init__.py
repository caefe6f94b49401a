"""The on-device runner: onnxruntime, NumPy and Pillow, and nothing else (ai-edge-litert for `.tflite`)."""

from __future__ import annotations

from edgeseg.runtime.contract import read_contract
from edgeseg.runtime.segmenter import Segmenter
from edgeseg.runtime.stream import SliceMask

__all__ = ["Segmenter", "SliceMask", "read_contract"]
