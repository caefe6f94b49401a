"""What a family of networks is: facts as data, and the function that lays its layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgeseg.specs import VariantSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One family of networks.

    `build_model` refuses what does not fit, plans the channels, and makes the input, the head and the model of every
    family; a family adds what stands between.

    Attributes:
        name: of the family, as a spec has it.
        stems: those it can have.
        slots: the layers, or groups of them, that can have a width of their own, in the order in which they run.
        convolutions: how many stand in a row in the blocks of each level, the bottom's last, where a spec may say
            otherwise (`VariantSpec.convolutions`); empty for a family with other blocks.
        default: the spec that stands for the family in lists.
        body: `body(keras, x, channels, stem)`: the image `(N, H, W, 3) float32 in [0, 1]` -> what the head reads,
            `(N, H / scale, W / scale, C)`, where `scale` is that of the stem. `keras` is Keras 3 or tf_keras alike;
            `channels` has one entry for each slot (`blocks.plan`).
    """

    name: str
    stems: tuple[str, ...]
    slots: tuple[str, ...]
    default: VariantSpec
    body: Callable[..., Any]
    convolutions: tuple[int, ...] = ()
