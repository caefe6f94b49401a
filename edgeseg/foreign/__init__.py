"""Networks that others trained, read from the files that they come in."""

from __future__ import annotations

from edgeseg.foreign.explicit import explicit
from edgeseg.foreign.onnx_file import OnnxGraph, read_onnx_graph
from edgeseg.foreign.onnx_keras import keras_network

__all__ = ["OnnxGraph", "explicit", "keras_network", "read_onnx_graph"]
