"""A U-Net on an encoder that learned ImageNet: EfficientNet-Lite0.

Source: Tan and Le, "EfficientNet", ICML 2019, as its lite version has it: no squeeze-and-excitation, ReLU6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.variants.blocks import TUMOUR_PRIOR_LOGIT

EPSILON = 1e-3
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Of each stage: blocks, side of the kernel, stride of the first, expansion, channels."""
SKIPS = (0, 2, 4, 10)
"""The last block at each stride of 2, 4, 8 and 16."""
UP = (32, 48, 64, 128)
"""Channels on the way up at these strides."""


def lite0_unet(keras: Any, side: int) -> Any:
    """Build the network: `(N, side, side, 3) float32 in [0, 1]` to logits `(N, side, side, 1) float32`."""
    layers = keras.layers
    image = keras.Input(shape=(side, side, 3), name="image")
    x, skips = encoder(keras, image)
    for width, skip in reversed(list(zip(UP, skips, strict=True))):
        x = layers.Conv2DTranspose(width, 2, strides=2)(x)
        x = layers.Concatenate()([skip, x])
        for _ in range(2):
            x = _convolved(keras, x, layers.Conv2D(width, 3, padding="same", use_bias=False))
    prior = keras.initializers.Constant(TUMOUR_PRIOR_LOGIT)
    x = layers.Conv2DTranspose(1, 2, strides=2, bias_initializer=prior)(x)
    return keras.Model(image, layers.Activation("linear", dtype="float32")(x))


def encoder(keras: Any, image: Any) -> tuple[Any, list[Any]]:
    """Lay the encoder on an image in [0, 1]: its last values at a stride of 32, and those at 2, 4, 8 and 16."""
    layers = keras.layers
    x = layers.Rescaling(255.0 / 128.0, offset=-127.0 / 128.0)(image)
    stem = layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False, name="_conv_stem")
    x = _convolved(keras, x, stem, norm="_bn0")
    skips, number = [], 0
    for count, kernel, stride, expansion, width in STAGES:
        for place in range(count):
            x = _block(keras, x, f"_blocks.{number}", kernel, 1 if place else stride, expansion, width)
            if number in SKIPS:
                skips.append(x)
            number += 1
    return x, skips


def _block(keras: Any, x: Any, name: str, kernel: int, stride: int, expansion: int, width: int) -> Any:
    layers, given = keras.layers, x
    if expansion > 1:
        wide = layers.Conv2D(expansion * x.shape[-1], 1, use_bias=False, name=f"{name}._expand_conv")
        x = _convolved(keras, x, wide, norm=f"{name}._bn0")
    deep = layers.DepthwiseConv2D(
        kernel, strides=stride, padding="same", use_bias=False, name=f"{name}._depthwise_conv"
    )
    x = _convolved(keras, x, deep, norm=f"{name}._bn1")
    x = layers.Conv2D(width, 1, use_bias=False, name=f"{name}._project_conv")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}._bn2")(x)
    return layers.Add()([given, x]) if given.shape[-1] == width and stride == 1 else x


def _convolved(keras: Any, x: Any, convolution: Any, norm: str | None = None) -> Any:
    x = keras.layers.BatchNormalization(epsilon=EPSILON, name=norm)(convolution(x))
    return keras.layers.ReLU(6.0)(x)


def load_encoder(model: Any, weights: Mapping[str, NDArray[np.float32]]) -> int:
    """Give the encoder of a network PyTorch's weights; return how many arrays that were."""
    known = {layer.name: layer for layer in model.layers}
    loaded = 0
    for name in sorted({name.rpartition(".")[0] for name in weights} & known.keys()):
        layer = known[name]
        ends = ("weight",) if "conv" in name else ("weight", "bias", "running_mean", "running_var")
        arrays = [weights[f"{name}.{end}"] for end in ends]
        if "depthwise" in name:
            arrays = [arrays[0].transpose(2, 3, 0, 1)]
        elif "conv" in name:
            arrays = [arrays[0].transpose(2, 3, 1, 0)]
        layer.set_weights(arrays)
        loaded += len(arrays)
    return loaded
