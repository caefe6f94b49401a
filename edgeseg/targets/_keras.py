"""The form of a Keras network that converters read well."""

from __future__ import annotations

from typing import Any

from edgeseg.specs import Contract

INPUT, OUTPUT = "image", "logits"


def inference_function(model: Any, contract: Contract) -> Any:
    """Return the network as a `tf.function` of `(1, H, W, 3) float32` -> `(1, H, W, 1) float32`, batch size fixed.

    Keras writes a nearest-neighbour `UpSampling2D` as repeats (tiles, reshapes and transposes after conversion); here
    it becomes the one resize operation that every runtime has. The values are the same.
    """
    import keras
    import tensorflow as tf

    def replacement(layer: Any) -> Any:
        if isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation == "nearest":
            return _nearest_resize(keras, tf, layer)
        return layer

    form = keras.models.clone_model(model, clone_function=replacement)
    shape = (1, contract.height, contract.width, len(contract.channels))

    def infer(image: Any) -> Any:
        return form(image, training=False)

    return tf.function(infer, input_signature=[tf.TensorSpec(shape, tf.float32, name=INPUT)], autograph=False)


def _nearest_resize(keras: Any, tf: Any, layer: Any) -> Any:
    rows, columns = layer.size

    class NearestResize(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            _, height, width, _ = x.shape
            return tf.image.resize(x, (height * rows, width * columns), method="nearest")

        def compute_output_spec(self, x: Any) -> Any:
            n, height, width, channels = x.shape
            return keras.KerasTensor((n, height * rows, width * columns, channels), dtype=x.dtype)

    return NearestResize(name=f"{layer.name}_resize")
