"""The pieces that the U-Nets share. Each takes the Keras namespace (Keras 3 or tf_keras) as its first argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgeseg.errors import OptionError
from edgeseg.specs import ImageSpec

DEPTH = 4
BASE_WIDTH = 64
TUMOUR_PRIOR_LOGIT = -4.6
"""log(p / (1 - p)) at the share of tumour pixels (about 1 %): the head's first bias, so that training starts calm."""

Block = Callable[[Any, int, str], Any]
"""`block(x, width, name)`: `(N, H, W, C)` -> `(N, H, W, width)`."""


def widths(alpha: float) -> tuple[int, ...]:
    """Return the channel count of each of the five levels, `alpha * (64, 128, 256, 512, 1024)`, at least 1."""
    return tuple(max(1, round(alpha * BASE_WIDTH * 2**level)) for level in range(DEPTH + 1))


def check_multiple(image: ImageSpec, stride: int, name: str) -> None:
    """Refuse an image that the poolings of a network cannot halve evenly.

    Raises:
        OptionError: with the size to pad to.
    """
    if image.height % stride or image.width % stride:
        pad = tuple(-(-side // stride) * stride for side in (image.height, image.width))
        raise OptionError(
            f"{name} needs height and width in multiples of {stride}; "
            f"{image.height} x {image.width} was given, pad it to {pad[0]} x {pad[1]}"
        )


def conv_relu(keras: Any, x: Any, width: int, name: str, *, norm: bool) -> Any:
    """3 x 3 convolution, optional batch normalisation, ReLU: `(N, H, W, C)` -> `(N, H, W, width)`."""
    layers = keras.layers
    x = layers.Conv2D(width, 3, padding="same", use_bias=not norm, kernel_initializer="he_normal", name=f"{name}_conv")(
        x
    )
    if norm:
        x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def double_conv(keras: Any, *, norm: bool) -> Block:
    """Two `conv_relu` in a row, both with or both without batch normalisation."""

    def block(x: Any, width: int, name: str) -> Any:
        x = conv_relu(keras, x, width, f"{name}_1", norm=norm)
        return conv_relu(keras, x, width, f"{name}_2", norm=norm)

    return block


def transposed_up(keras: Any) -> Block:
    """Double height and width by a 2 x 2 transposed convolution."""

    def up(x: Any, width: int, name: str) -> Any:
        return keras.layers.Conv2DTranspose(width, 2, strides=2, kernel_initializer="he_normal", name=f"{name}_up")(x)

    return up


def encoder_decoder(keras: Any, x: Any, channels: tuple[int, ...], block: Block, up: Block) -> Any:
    """The U: four poolings, a bottleneck, four up-samplings, each joined with the level it came from.

    Source: Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015, with same-size padding.
    """
    layers = keras.layers
    skips = []
    for level in range(DEPTH):
        x = block(x, channels[level], f"enc{level + 1}")
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f"enc{level + 1}_pool")(x)
    x = block(x, channels[DEPTH], "bottom")
    for level in reversed(range(DEPTH)):
        x = up(x, channels[level], f"dec{level + 1}")
        x = layers.Concatenate(name=f"dec{level + 1}_join")([skips[level], x])
        x = block(x, channels[level], f"dec{level + 1}")
    return x


def logits_head(keras: Any, x: Any) -> Any:
    """1 x 1 convolution to one logit a pixel: `(N, H, W, C)` -> `(N, H, W, 1)`."""
    prior = keras.initializers.Constant(TUMOUR_PRIOR_LOGIT)
    return keras.layers.Conv2D(1, 1, bias_initializer=prior, name="head")(x)


def image_input(keras: Any, image: ImageSpec) -> Any:
    """The network's input, `(N, H, W, C) float32 in [0, 1]`."""
    return keras.Input(shape=(image.height, image.width, len(image.channels)), name="image")
