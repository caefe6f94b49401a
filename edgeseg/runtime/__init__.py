"""The on-device runner: onnxruntime, NumPy and Pillow, and nothing else (ai-edge-litert for `.tflite`)."""

from __future__ import annotations

from edgeseg.runtime.contract import read_contract
from edgeseg.runtime.segmenter import Segmenter

__all__ = ["Segmenter", "read_contract"]
