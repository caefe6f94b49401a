"""Alphax: the U-Net with every width multiplied by alpha, and a half-resolution stem that quarters the arithmetic."""

from __future__ import annotations

from typing import Any

from edgeseg.specs import ImageSpec
from edgeseg.variants import blocks

NAME, STRIDE, STEMS = "alphax", {"full": 16, "half": 32}, ("full", "half")


def build(keras: Any, *, image: ImageSpec, alpha: float = 0.125, stem: str = "half") -> Any:
    """Build the network: `(N, H, W, 3) float32 in [0, 1]` -> `(N, H, W, 1)` logits.

    Batch normalisation stands after the second convolution of a block only. With `stem="half"` a 6 x 6 convolution of
    stride 2 takes the place of the first 3 x 3 one, and a 2 x 2 transposed convolution of stride 2 that of the 1 x 1
    head: the same functions as space-to-depth before and depth-to-space behind a U-Net at half the resolution, in
    operators that every converter knows.

    Args:
        keras: Keras 3 or tf_keras.
        image: input size; multiples of 16 (`full`) or 32 (`half`).
        alpha: multiplies every width, in (0, 1].
        stem: `full` or `half`.
    """
    blocks.check_multiple(image, STRIDE[stem], f"{NAME} with stem={stem}")

    def block(x: Any, width: int, name: str) -> Any:
        x = stem_conv(x, width) if (stem, name) == ("half", "enc1") else first_conv(x, width, name)
        return blocks.conv_relu(keras, x, width, f"{name}_2", norm=True)

    def first_conv(x: Any, width: int, name: str) -> Any:
        return blocks.conv_relu(keras, x, width, f"{name}_1", norm=False)

    def stem_conv(x: Any, width: int) -> Any:
        conv = keras.layers.Conv2D(
            width, 6, strides=2, padding="same", kernel_initializer="he_normal", name="enc1_1_conv"
        )
        return keras.layers.ReLU(name="enc1_1_relu")(conv(x))

    def head(x: Any) -> Any:
        if stem == "full":
            return blocks.logits_head(keras, x)
        prior = keras.initializers.Constant(blocks.TUMOUR_PRIOR_LOGIT)
        return keras.layers.Conv2DTranspose(1, 2, strides=2, bias_initializer=prior, name="head")(x)

    inputs = blocks.image_input(keras, image)
    x = blocks.encoder_decoder(keras, inputs, blocks.widths(alpha), block, blocks.transposed_up(keras))
    return keras.Model(inputs, head(x), name=NAME)
