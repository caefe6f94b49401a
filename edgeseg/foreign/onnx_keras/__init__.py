"""ONNX graphs as Keras networks, one file for each group of operations."""

from __future__ import annotations

from edgeseg.foreign.onnx_keras.network import keras_network

__all__ = ["keras_network"]
