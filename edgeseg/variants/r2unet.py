"""R2U-Net: recurrent residual blocks whose 3 x 3 convolutions are shared over time."""

from __future__ import annotations

from typing import Any

from edgeseg.specs import ImageSpec
from edgeseg.variants import blocks

NAME, STEMS = "r2unet", ("full", "half", "quarter")
SLOTS = blocks.slot_names(("",))
TIME_STEPS = 2
UNITS = 2


def build(
    keras: Any,
    *,
    image: ImageSpec,
    alpha: float = 1.0,
    stem: str = "full",
    profile: str = "double",
    widths: tuple[int, ...] = (),
) -> Any:
    """Build the network: `(N, H, W, 3) float32 in [0, 1]` -> `(N, H, W, 1)` logits.

    A block is a 1 x 1 convolution to the block's width, two recurrent units, and the sum of the two ends. A unit has
    one 3 x 3 convolution f, applied t + 1 times: y = f(x), then t times y = f(x + y). Batch statistics differ from step
    to step, so each step has a batch normalisation of its own.

    Args:
        keras: Keras 3 or tf_keras.
        image: input size; multiples of 16 (`full`), 32 (`half`) or 64 (`quarter`).
        alpha: multiplies every width.
        stem: `full`, `half` or `quarter`; the first 1 x 1 convolution then takes its stride.
        profile: `double` or `flat`.
        widths: channels of every slot in their place, or none; all convolutions of a block share one slot.

    Source: Alom et al., "Recurrent Residual Convolutional Neural Network based on U-Net", arXiv 1802.06955, t = 2.
    """
    blocks.check_multiple(image, stem, NAME)
    layers, channels = keras.layers, blocks.plan(alpha, profile, widths, SLOTS)

    def unit(x: Any, width: int, name: str) -> Any:
        conv = layers.Conv2D(
            width, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
        )
        y = None
        for step in range(TIME_STEPS + 1):
            joined = x if y is None else layers.Add(name=f"{name}_add{step}")([x, y])
            y = layers.BatchNormalization(name=f"{name}_bn{step}")(conv(joined))
            y = layers.ReLU(name=f"{name}_relu{step}")(y)
        return y

    def block(x: Any, name: str) -> Any:
        width, scale = channels[name], blocks.entry_scale(stem, name)
        x = layers.Conv2D(width, scale, strides=scale, name=f"{name}_project")(x)
        y = x
        for index in range(UNITS):
            y = unit(y, width, f"{name}_{index + 1}")
        return layers.Add(name=f"{name}_residual")([x, y])

    def up(x: Any, name: str) -> Any:
        x = layers.UpSampling2D(2, name=f"{name}_upsample")(x)
        return blocks.conv_relu(keras, x, channels[f"{name}_up"], f"{name}_up", norm=True)

    inputs = blocks.image_input(keras, image)
    x = blocks.encoder_decoder(keras, inputs, block, up)
    return keras.Model(inputs, blocks.logits_head(keras, x, stem), name=NAME)
