"""R2U-Net: recurrent residual blocks whose 3 x 3 convolutions are shared over time.

Source: Alom et al., "Recurrent Residual Convolutional Neural Network based on U-Net", arXiv 1802.06955, t = 2.
"""

from __future__ import annotations

from typing import Any

from edgeseg.specs import VariantSpec
from edgeseg.variants import blocks
from edgeseg.variants.variant import Variant

TIME_STEPS = 2
UNITS = 2


def body(keras: Any, x: Any, channels: blocks.Plan, stem: str) -> Any:
    """Lay the U, as `Variant.body` says; all convolutions of a block share one slot.

    A block is a 1 x 1 convolution to the block's width, two recurrent units, and the sum of the two ends. A unit has
    one 3 x 3 convolution f, applied t + 1 times: y = f(x), then t times y = f(x + y). Batch statistics differ from step
    to step, so each step has a batch normalisation of its own. The first 1 x 1 convolution takes the stem's stride.
    """
    layers = keras.layers

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

    return blocks.encoder_decoder(keras, x, block, up)


R2UNET = Variant(
    name="r2unet",
    stems=tuple(blocks.SCALES),
    slots=blocks.slot_names([("",)] * len(blocks.BLOCKS)),
    default=VariantSpec(name="r2unet", alpha=1.0, stem="full"),
    body=body,
)
