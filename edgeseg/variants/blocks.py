"""The pieces that the U-Nets share. Each takes the Keras namespace (Keras 3 or tf_keras) as its first argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edgeseg.errors import OptionError
from edgeseg.specs import ImageSpec, VariantSpec

DEPTH = 4
BASE_WIDTHS = {"double": (64, 128, 256, 512, 1024), "flat": (128, 128, 128, 128, 128)}
SCALES = {"full": 1, "half": 2, "quarter": 4}
"""How many pixels of the image, along a side, make one of the first level."""
TUMOUR_PRIOR_LOGIT = -4.6
"""log(p / (1 - p)) at the share of tumour pixels (about 1 %): the head's first bias, so that training starts calm."""

Block = Callable[[Any, str], Any]
"""`block(x, name)`: `(N, H, W, C)` -> the same size, with the channels that the plan has for it."""
Plan = Mapping[str, int]
"""How many channels each slot has. A slot is what can have a width of its own: a convolution, or several that share
their channels because their results are added."""

BLOCKS = (*(f"enc{level + 1}" for level in range(DEPTH)), "bottom", *(f"dec{level}" for level in range(DEPTH, 0, -1)))
"""The blocks in the order in which they run."""
_LEVELS = {block: DEPTH if block == "bottom" else int(block[3:]) - 1 for block in BLOCKS}


def slot_names(inner: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Name the slots of a U in the order in which they run; `inner` are the endings of those within each block."""
    return tuple(
        name
        for block, ends in zip(BLOCKS, inner, strict=True)
        for name in (*((f"{block}_up",) if block.startswith("dec") else ()), *(f"{block}{end}" for end in ends))
    )


def conv_slots(counts: Sequence[int]) -> tuple[str, ...]:
    """Name the slots of a U whose blocks have `counts` convolutions in a row: `enc1_1`, `enc1_2` ...

    Args:
        counts: of the blocks of each level, or of each block, as `VariantSpec.convolutions`.

    Raises:
        OptionError: for another number of levels or blocks than a U has, or a block on the way down that has none.
    """
    if len(counts) not in (DEPTH + 1, len(BLOCKS)):
        raise OptionError(
            f"convolutions are {list(counts)}; give {DEPTH + 1} numbers, one for each level from the image's to the "
            f"bottom, or {len(BLOCKS)}, one for each block down and up again"
        )
    own = counts if len(counts) == len(BLOCKS) else [counts[_LEVELS[block]] for block in BLOCKS]
    if 0 in own[: DEPTH + 1]:
        raise OptionError(f"convolutions are {list(counts)}; a block on the way down has at least 1")
    return slot_names([[f"_{place + 1}" for place in range(count)] for count in own])


def plan(spec: VariantSpec, slots: tuple[str, ...]) -> Plan:
    """Return the channels of each slot: those of `widths`, or `alpha` times those of the level, at least 1.

    Raises:
        OptionError: when `widths` has another number of entries than there are slots, or `levels` than levels.
    """
    widths = spec.widths
    if spec.levels and len(spec.levels) != DEPTH + 1:
        raise OptionError(
            f"levels are {list(spec.levels)}; give {DEPTH + 1} numbers, one for each level from the image's to the "
            "bottom"
        )
    if widths and len(widths) != len(slots):
        raise OptionError(
            f"widths has {len(widths)} entries and the network {len(slots)} layers with a width; one each is needed"
        )
    if widths:
        return dict(zip(slots, widths, strict=True))
    base = spec.levels or BASE_WIDTHS[spec.profile]
    return {slot: max(1, round(spec.alpha * base[_LEVELS[slot.partition("_")[0]]])) for slot in slots}


def check_multiple(image: ImageSpec, stem: str, name: str) -> None:
    """Refuse an image that the stem and the poolings of a network cannot divide evenly.

    Raises:
        OptionError: with the size to pad to.
    """
    stride = SCALES[stem] * 2**DEPTH
    name = name if stem == "full" else f"{name} with stem={stem}"
    if image.height % stride or image.width % stride:
        pad = tuple(-(-side // stride) * stride for side in (image.height, image.width))
        raise OptionError(
            f"{name} needs height and width in multiples of {stride}; "
            f"{image.height} x {image.width} was given, pad it to {pad[0]} x {pad[1]}"
        )


def entry_scale(stem: str, name: str) -> int:
    """Return the stride of the first convolution of block `name`: that of the stem in the first block, else 1."""
    return SCALES[stem] if name == "enc1" else 1


def conv_relu(keras: Any, x: Any, width: int, name: str, *, norm: bool, scale: int = 1) -> Any:
    """Convolution, optional batch normalisation, ReLU: `(N, H, W, C)` -> `(N, H / scale, W / scale, width)`.

    The kernel is 3 x 3 over squares of `scale` x `scale` pixels: a 3 x 3 convolution after space-to-depth.
    """
    layers = keras.layers
    x = layers.Conv2D(
        width,
        3 * scale,
        strides=scale,
        padding="same",
        use_bias=not norm,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    if norm:
        x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def conv_row(keras: Any, channels: Plan, *, stem: str, norms: tuple[bool, bool]) -> Block:
    """As many `conv_relu` in a row as the plan has for the block, or none; the first of all has the stem's stride.

    `norms` says whether those inside the row, and the last one, have batch normalisation.
    """

    def block(x: Any, name: str) -> Any:
        row = [slot for slot in channels if slot.startswith(f"{name}_") and not slot.endswith("_up")]
        for slot in row:
            scale = entry_scale(stem, name) if slot == row[0] else 1
            x = conv_relu(keras, x, channels[slot], slot, norm=norms[slot == row[-1]], scale=scale)
        return x

    return block


def transposed_up(keras: Any, channels: Plan) -> Block:
    """Double height and width by a 2 x 2 transposed convolution."""

    def up(x: Any, name: str) -> Any:
        name = f"{name}_up"
        width = channels[name]
        return keras.layers.Conv2DTranspose(width, 2, strides=2, kernel_initializer="he_normal", name=name)(x)

    return up


def encoder_decoder(keras: Any, x: Any, block: Block, up: Block) -> Any:
    """The U: four poolings, a bottleneck, four up-samplings, each joined with the level it came from.

    Source: Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015, with same-size padding.
    """
    layers = keras.layers
    skips = []
    for level in range(DEPTH):
        x = block(x, f"enc{level + 1}")
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f"enc{level + 1}_pool")(x)
    x = block(x, "bottom")
    for level in reversed(range(DEPTH)):
        x = up(x, f"dec{level + 1}")
        x = layers.Concatenate(name=f"dec{level + 1}_join")([skips[level], x])
        x = block(x, f"dec{level + 1}")
    return x


def logits_head(keras: Any, x: Any, stem: str, count: int = 1) -> Any:
    """To `count` logits a pixel: a 1 x 1 convolution, or the transposed one that undoes the stem's stride.

    `(N, H / scale, W / scale, C)` -> `(N, H, W, count)`.
    """
    layers, scale = keras.layers, SCALES[stem]
    prior = keras.initializers.Constant(TUMOUR_PRIOR_LOGIT)
    if scale == 1:
        return layers.Conv2D(count, 1, bias_initializer=prior, name="head")(x)
    return layers.Conv2DTranspose(count, scale, strides=scale, bias_initializer=prior, name="head")(x)


def image_input(keras: Any, image: ImageSpec) -> Any:
    """The network's input, `(N, H, W, C) float32 in [0, 1]`."""
    return keras.Input(shape=(image.height, image.width, len(image.channels)), name="image")
