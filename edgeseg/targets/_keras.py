"""The form of a Keras network that converters read well, and that ranges are measured on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError
from edgeseg.specs import Contract
from edgeseg.targets._blocks import over_blocks, sees_blocks
from edgeseg.targets._explicit import explicit
from edgeseg.targets._repeated import REACH, on_codes
from edgeseg.targets.graph import GraphForm, GraphNetwork, form_of

INPUT, OUTPUT = "image", "logits"
_FUSED = ("BatchNormalization", "ReLU", "Activation")
PLAIN = (
    "Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "BatchNormalization", "ReLU", "MaxPooling2D", "UpSampling2D",
    "Concatenate", "Add", "NearestResize", "DepthToSpace", "SpaceToDepth",
)  # fmt: skip
"""Layers that every converter writes as one operation with an integer kernel: all that edgeseg's own networks have."""
_STEP = re.compile(r"step(\d+)/")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One call of one layer; `name` is the layer's, with `:2` and so on behind it from its second call on."""

    name: str
    layer: Any
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    result: Any


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """A network as the list of its layers' calls, in order; each call runs in a name scope of its own.

    Keras writes a nearest-neighbour `UpSampling2D` as repeats (tiles, reshapes and transposes after conversion); here
    it is the one resize operation that every runtime has. The values are the same.
    """

    image: Any
    steps: tuple[Step, ...]
    output: Step

    @property
    def plain(self) -> bool:
        """Whether all layers are of those that convert to one operation each, with nothing between them."""
        readers: dict[int, int] = {}
        for step in self.steps:
            for x in keras_tensors(step.arguments):
                readers[id(x)] = readers.get(id(x), 0) + 1
        return all(_plain(step, readers) for step in self.steps)

    def run(self, image: Any) -> dict[str, Any]:
        """Run the network: `(N, H, W, 3) float32` -> what each step gives, by its name."""
        import keras
        import tensorflow as tf

        values = {id(self.image): image}
        found = {}
        for index, step in enumerate(self.steps):
            given, options = keras.tree.map_structure(lambda x: values.get(id(x), x), (step.arguments, step.options))
            with tf.name_scope(f"step{index}"):
                found[step.name] = values[id(step.result)] = step.layer(*given, **options)
        return found

    def owners(self) -> dict[str, str]:
        """Name, for each step that a converter may fuse into a convolution, the layer that holds its kernel.

        These are the convolutions themselves and the normalisations and activations behind them.
        """
        found: dict[str, str] = {}
        makers = {id(step.result): step.name for step in self.steps}
        for step in self.steps:
            if hasattr(step.layer, "kernel"):
                found[step.name] = step.layer.name
            elif type(step.layer).__name__ in _FUSED and (maker := makers.get(id(step.arguments[0]))) in found:
                found[step.name] = found[str(maker)]
        return found

    def step_of(self, name: str) -> str | None:
        """Name the step that gives a converted tensor, from the scopes in the tensor's name; None where it has none.

        A converter that fuses operations joins their names, that of the one which gives the value first.
        """
        found = _STEP.match(name)
        return self.steps[int(found[1])].name if found else None


Form = Network | GraphForm
"""A network taken apart, whichever kind it is."""


def taken_apart(model: Any) -> Form:
    """Take a Keras network or a `GraphNetwork` apart, as `network` does the former."""
    return form_of(model) if isinstance(model, GraphNetwork) else network(model)


def network(
    model: Any,
    *,
    depth_to_space: bool = False,
    space_to_depth: bool = False,
    rounded: tuple[str, ...] = (),
    reach: int = REACH,
) -> Network:
    """Take a network apart into the calls of its layers, which stay its own; one operation each (`explicit`).

    Args:
        model: Keras 3 model.
        depth_to_space: write a transposed convolution whose kernel equals its stride as a 1 x 1 convolution and a
            rearrangement. The values are the same, and XNNPACK's own transposed convolution is slower.
        space_to_depth: write a strided convolution of few channels over squares of pixels (`_blocks`), the same too.
        rounded: names of convolutions whose weights become codes of 8 bits beforehand (`_repeated`).
        reach: the largest of these codes.
    """
    import keras
    import tensorflow as tf

    steps: list[Step] = []
    times: dict[str, int] = {}

    def replacement(layer: Any) -> Any:
        if layer.name in rounded:
            layer = on_codes(layer, reach)
        if space_to_depth and sees_blocks(layer, shapes.get(layer.name, ())):
            return over_blocks(layer)
        if isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation == "nearest":
            return _nearest_resize(keras, tf, layer)
        if depth_to_space and _tiles(keras, layer):
            return _depth_to_space(keras, tf, layer)
        return layer

    def call(layer: Any, *arguments: Any, **options: Any) -> Any:
        result = layer(*arguments, **options)
        _check_one_float(layer, result)
        times[layer.name] = times.get(layer.name, 0) + 1
        name = layer.name if times[layer.name] == 1 else f"{layer.name}:{times[layer.name]}"
        steps.append(Step(name=name, layer=layer, arguments=arguments, options=options, result=result))
        return result

    spelled_out = explicit(model)
    shapes = {layer.name: tuple(layer.input.shape) for layer in spelled_out.layers if hasattr(layer, "kernel_size")}
    cloned = keras.models.clone_model(spelled_out, clone_function=replacement, call_function=call)
    (image,), (logits,) = cloned.inputs, cloned.outputs
    output = next(step for step in steps if step.result is logits)
    return Network(image=image, steps=tuple(steps), output=output)


def _check_one_float(layer: Any, result: Any) -> None:
    """Refuse a layer that gives something other than one value in float.

    Raises:
        ArtifactError: naming it.
    """
    several = isinstance(result, list | tuple)
    if not several and str(result.dtype).startswith(("float", "bfloat")):
        return
    what = "several values at once" if several else f"values of {result.dtype}"
    raise ArtifactError(
        f"layer '{layer.name}' ({type(layer).__name__}) gives {what}, which no target is made of from a Keras file; "
        "export the network to ONNX and give the .onnx file"
    )


def is_plain(model: Any) -> bool:
    """Whether a network has only layers that every converter writes as one operation each (`Network.plain`)."""
    return taken_apart(model).plain


def shape_of(contract: Contract) -> tuple[int, int, int]:
    """Return the height, width and number of channels of what a network takes."""
    return contract.height, contract.width, len(contract.channels)


def inference_function(form: Network, shape: tuple[int, int, int]) -> Callable[..., Any]:
    """Return the network as a `tf.function` of `(1, H, W, 3) float32` -> `(1, H, W, 1) float32`, batch size fixed."""
    import tensorflow as tf

    def infer(image: Any) -> Any:
        return form.run(image)[form.output.name]

    signature = [tf.TensorSpec((1, *shape), tf.float32, name=INPUT)]
    made: Callable[..., Any] = tf.function(infer, input_signature=signature, autograph=False)
    return made


def keras_tensors(arguments: Any) -> list[Any]:
    """List what a layer was called on, whether it takes one value, several, or a list."""
    import keras

    return list(keras.tree.flatten(arguments))


def _plain(step: Step, readers: dict[int, int]) -> bool:
    """Tell whether a call is of a plain layer: a ReLU without a ceiling that alone reads its value, one group ..."""
    layer, kind = step.layer, type(step.layer).__name__
    if kind == "ReLU":
        return layer.max_value is None and not layer.negative_slope and readers[id(step.arguments[0])] == 1
    if kind == "Conv2DTranspose":
        return tuple(layer.kernel_size) == tuple(layer.strides)
    return kind in PLAIN and getattr(layer, "groups", 1) == 1


def _nearest_resize(keras: Any, tf: Any, layer: Any) -> Any:
    rows, columns = layer.size

    class NearestResize(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            _, height, width, _ = x.shape
            return tf.image.resize(x, (height * rows, width * columns), method="nearest")

        def compute_output_spec(self, x: Any) -> Any:
            n, height, width, channels = x.shape
            return keras.KerasTensor((n, height * rows, width * columns, channels), dtype=x.dtype)

    return NearestResize(name=layer.name)


def _tiles(keras: Any, layer: Any) -> bool:
    """Tell whether a layer is a transposed convolution whose windows tile its result, with nothing behind it."""
    return (
        isinstance(layer, keras.layers.Conv2DTranspose)
        and layer.kernel_size == layer.strides
        and len(set(layer.strides)) == 1
        and layer.dilation_rate == (1, 1)
        and layer.output_padding is None
        and layer.data_format == "channels_last"
        and layer.activation is keras.activations.linear
    )


def _depth_to_space(keras: Any, tf: Any, layer: Any) -> Any:
    side, (_, _, wide, deep) = layer.strides[0], layer.kernel.shape
    flat = np.asarray(layer.kernel).transpose(3, 0, 1, 2).reshape(1, 1, deep, side * side * wide)
    offset = np.tile(np.asarray(layer.bias), side * side) if layer.use_bias else None

    class DepthToSpace(keras.layers.Layer):  # type: ignore[misc]
        kernel = layer.kernel

        def call(self, x: Any) -> Any:
            x = tf.nn.conv2d(x, flat, 1, "VALID")
            return tf.nn.depth_to_space(x if offset is None else tf.nn.bias_add(x, offset), side)

        def compute_output_spec(self, x: Any) -> Any:
            n, height, width, _ = x.shape
            return keras.KerasTensor((n, height * side, width * side, wide), dtype=x.dtype)

    return DepthToSpace(name=layer.name)
