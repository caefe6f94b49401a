"""ONNX graphs as Keras networks, one file for each group of operations."""

from __future__ import annotations

from edgeseg.foreign.onnx_keras.network import keras_network
from edgeseg.foreign.onnx_keras.values import fitting_name

__all__ = ["fitting_name", "keras_network"]
