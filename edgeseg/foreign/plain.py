"""Layers without weights, made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def plain_layer(name: str, function: Callable[..., Any]) -> Any:
    """Make a Keras layer without weights out of a function of tensors; it lives in this process alone."""
    import keras

    class Plain(keras.layers.Layer):  # type: ignore[misc]
        def call(self, *xs: Any) -> Any:
            return function(*xs)

    return Plain(name=name)
