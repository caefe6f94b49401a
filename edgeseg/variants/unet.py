"""The vanilla U-Net, 64 ... 1024 channels, no batch normalisation."""

from __future__ import annotations

from typing import Any

from edgeseg.specs import ImageSpec
from edgeseg.variants import blocks

NAME, STEMS = "unet", ("full", "half", "quarter")
SLOTS = blocks.DOUBLE_CONV_SLOTS


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

    Args:
        keras: Keras 3 or tf_keras.
        image: input size; multiples of 16 (`full`), 32 (`half`) or 64 (`quarter`).
        alpha: multiplies every width.
        stem: `full`, `half` or `quarter`.
        profile: `double` or `flat`.
        widths: channels of every slot in their place, or none.

    Source: Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015.
    """
    blocks.check_multiple(image, stem, NAME)
    channels = blocks.plan(alpha, profile, widths, SLOTS)
    block = blocks.double_conv(keras, channels, stem=stem, norms=(False, False))
    inputs = blocks.image_input(keras, image)
    x = blocks.encoder_decoder(keras, inputs, block, blocks.transposed_up(keras, channels))
    return keras.Model(inputs, blocks.logits_head(keras, x, stem), name=NAME)
