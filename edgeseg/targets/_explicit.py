"""A network with one operation a layer, so that each value has a range of its own and one kernel that computes it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.targets._norms import GROUPED, without_reshapes
from edgeseg.targets.plain import plain_layer

IDLE = (
    "Dropout", "SpatialDropout2D", "SpatialDropout1D", "AlphaDropout", "GaussianDropout", "GaussianNoise", "Identity",
    "ActivityRegularization", "RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast", "RandomBrightness",
    "RandomTranslation", "RandomCrop",
)  # fmt: skip
"""Layers that give what they are given when a network is used."""
_ACTIVATED = ("Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "Dense")
_OTHERS = ("SeparableConv2D", "Activation", "Rescaling", "Split")


def explicit(model: Any) -> Any:
    """Write a flat functional Keras model with one operation a layer; its values stay what they were.

    An activation that is part of a convolution becomes a layer, a separable convolution becomes two, SiLU and hard
    sigmoid become their products and sums, a split one cut for each part. Batch normalisation that follows no
    convolution, and rescaling, become a depthwise convolution of 1 x 1. Layers that do nothing after training
    disappear.

    Args:
        model: Keras 3 model on the TensorFlow backend, without models inside.

    Returns:
        A model with the same inputs and outputs.
    """
    import keras

    alone = _alone(model)
    if not any(_is_rewritten(layer, alone) for layer in model.operations):
        return model
    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=_Writer(alone))


def _is_rewritten(layer: Any, alone: set[str]) -> bool:
    kind = type(layer).__name__
    grouped = kind == "Conv2D" and layer.groups > 1
    activated = kind in _ACTIVATED and _activation(layer) != "linear"
    return grouped or activated or layer.name in alone or kind in (*IDLE, *GROUPED, *_OTHERS)


class _Writer:
    """Calls a layer, or those that stand for it; a layer that is called again keeps its stand-ins."""

    def __init__(self, alone: set[str]) -> None:
        self._alone = alone
        self._made: dict[str, Any] = {}

    def __call__(self, layer: Any, *arguments: Any, **options: Any) -> Any:
        kind = type(layer).__name__
        if kind in IDLE:
            return arguments[0]
        if kind in _ACTIVATED and (name := _activation(layer)) != "linear":
            x = self(
                self._once(f"{layer.name}/linear", lambda: _without_activation(layer, arguments[0].shape)), *arguments
            )
            return self._activated(name, layer.activation, f"{layer.name}.{name}", x)
        if kind == "Conv2D" and layer.groups > 1:
            return self._groups(layer, *arguments)
        if kind == "SeparableConv2D":
            return self._separable(layer, *arguments)
        if kind == "Split":
            return self._parts_of(layer, *arguments)
        if kind == "Activation":
            return self._activated(_activation(layer), layer.activation, layer.name, *arguments)
        if kind in GROUPED:
            return self._once(layer.name, lambda: without_reshapes(layer, arguments[0].shape[-1]))(*arguments)
        if (affine := _affine(layer, self._alone, arguments[0])) is not None:
            return self._once(layer.name, lambda: _depthwise(layer.name, *affine))(*arguments)
        options.pop("training", None)
        return layer(*arguments, **options)

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def _activated(self, kind: str, function: Any, name: str, x: Any) -> Any:
        import keras

        if kind in ("silu", "swish"):
            gate = self._once(f"{name}.gate", lambda: keras.layers.Activation("sigmoid", name=f"{name}.gate"))(x)
            return self._once(name, lambda: keras.layers.Multiply(name=name))([x, gate])
        if kind == "hard_sigmoid":
            x = self._once(f"{name}.plus", lambda: plain_layer(f"{name}.plus", "scale", by=1.0, plus=3.0))(x)
            x = self._once(f"{name}.cut", lambda: keras.layers.ReLU(max_value=6.0, name=f"{name}.cut"))(x)
            return self._once(name, lambda: plain_layer(name, "scale", by=1.0 / 6.0, plus=0.0))(x)
        if kind == "gelu":
            return self._once(name, lambda: plain_layer(name, "gelu"))(x)
        plain = {
            "relu": keras.layers.ReLU,
            "elu": keras.layers.ELU,
            "leaky_relu": lambda **o: keras.layers.LeakyReLU(0.2, **o),
        }
        if kind in plain:
            return self._once(name, lambda: plain[kind](name=name))(x)
        if kind == "relu6":
            return self._once(name, lambda: keras.layers.ReLU(max_value=6.0, name=name))(x)
        if kind == "softmax":
            return self._once(name, lambda: keras.layers.Softmax(name=name))(x)
        return self._once(name, lambda: keras.layers.Activation(function, name=name))(x)

    def _groups(self, layer: Any, x: Any) -> Any:
        """Write a convolution in groups as one convolution a group, which every converter knows."""
        import keras

        name = layer.name
        groups = self._once(f"{name}.all", lambda: _grouped(layer))
        results = [one(self._part(layer, index, x)) for index, one in groups]
        return self._once(name, lambda: keras.layers.Concatenate(name=name))(results)

    def _part(self, layer: Any, index: int, x: Any) -> Any:
        width = x.shape[-1] // layer.groups
        part, ends = f"{layer.name}.part{index}", [index * width, (index + 1) * width]
        return self._once(part, lambda: plain_layer(part, "cut", cuts=[None, None, None, ends]))(x)

    def _parts_of(self, layer: Any, x: Any) -> list[Any]:
        """Write an operation that gives several parts of a value as one cut a part."""
        axis, start, found = layer.axis % len(x.shape), 0, []
        for index, part in enumerate(layer.compute_output_spec(x)):
            cuts: list[list[int] | None] = [None] * len(x.shape)
            cuts[axis] = [start, start + part.shape[axis]]
            start += part.shape[axis]
            name = f"{layer.name}.{index}"
            found.append(self._once(name, functools.partial(plain_layer, name, "cut", cuts=cuts))(x))
        return found

    def _separable(self, layer: Any, x: Any) -> Any:
        import keras

        def depth() -> Any:
            return keras.layers.DepthwiseConv2D(
                layer.kernel_size,
                strides=layer.strides,
                padding=layer.padding,
                dilation_rate=layer.dilation_rate,
                depth_multiplier=layer.depth_multiplier,
                use_bias=False,
                name=f"{layer.name}.depthwise",
            )

        def point() -> Any:
            return keras.layers.Conv2D(layer.filters, 1, use_bias=layer.use_bias, name=layer.name)

        first, second = self._once(f"{layer.name}.depthwise", depth), self._once(layer.name, point)
        x = second(first(x))
        kernels = layer.get_weights()
        first.set_weights(kernels[:1])
        second.set_weights(kernels[1:])
        name = _activation(layer)
        return x if name == "linear" else self._activated(name, layer.activation, f"{layer.name}.{name}", x)


def _grouped(layer: Any) -> list[tuple[int, Any]]:
    """One convolution for each group of a layer, with its weights."""
    import keras

    kernel, *bias = layer.get_weights()
    width = layer.filters // layer.groups
    found = []
    for index in range(layer.groups):
        own = slice(index * width, (index + 1) * width)
        one = keras.layers.Conv2D(
            width,
            layer.kernel_size,
            strides=layer.strides,
            padding=layer.padding,
            dilation_rate=layer.dilation_rate,
            use_bias=layer.use_bias,
            name=f"{layer.name}.{index}",
        )
        one.build((None, None, None, kernel.shape[2]))
        one.set_weights([kernel[..., own], *(values[own] for values in bias)])
        found.append((index, one))
    return found


def _activation(layer: Any) -> str:
    """Name a layer's activation as Keras does; one that has no name is called `activation`."""
    return str(getattr(layer.activation, "__name__", "activation"))


def _without_activation(layer: Any, shape: tuple[int | None, ...]) -> Any:
    """Return a layer with the same weights and nothing behind its sums."""
    made = type(layer).from_config({**layer.get_config(), "activation": "linear"})
    made.build(shape)
    made.set_weights(layer.get_weights())
    return made


def _alone(model: Any) -> set[str]:
    """Name the batch normalisations that no converter can fold into a convolution before them."""
    kernels = ("Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "SeparableConv2D")
    readers: dict[int, int] = {}
    makers: dict[int, Any] = {}
    nodes = [node for nodes in model._nodes_by_depth.values() for node in nodes]  # noqa: SLF001  (no public way)
    for node in nodes:
        for tensor in node.output_tensors:
            makers[id(tensor)] = node.operation
        for tensor in node.input_tensors:
            readers[id(tensor)] = readers.get(id(tensor), 0) + 1
    found = set()
    for node in nodes:
        if type(node.operation).__name__ != "BatchNormalization":
            continue
        (before,) = node.input_tensors
        maker = makers.get(id(before))
        if type(maker).__name__ not in kernels or _activation(maker) != "linear" or readers[id(before)] > 1:
            found.add(node.operation.name)
    return found


def _affine(layer: Any, alone: set[str], x: Any) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return what a layer multiplies each channel by and what it adds, where that is all it does."""
    kind = type(layer).__name__
    if kind == "BatchNormalization" and layer.name in alone and layer.axis in (-1, 3):
        mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
        scale = 1.0 / np.sqrt(variance.astype(np.float64) + layer.epsilon)
        scale = scale * np.asarray(layer.gamma) if layer.scale else scale
        offset = -mean * scale + (np.asarray(layer.beta) if layer.center else 0.0)
        return scale.astype(np.float32), offset.astype(np.float32)
    if kind == "Rescaling" and len(x.shape) == 4:
        width = int(x.shape[-1])
        each = (np.broadcast_to(np.asarray(values, np.float32), (width,)) for values in (layer.scale, layer.offset))
        scale, offset = each
        return scale, offset
    return None


def _depthwise(name: str, scale: NDArray[Any], offset: NDArray[Any]) -> Any:
    import keras

    made = keras.layers.DepthwiseConv2D(1, name=name)
    made.build((None, None, None, len(scale)))
    made.set_weights([scale.reshape(1, 1, -1, 1), offset])
    return made
