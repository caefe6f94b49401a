"""The U-Nets whose blocks are rows of convolutions, two unless the spec says otherwise.

They differ in where batch normalisation stands, and in their default.

Sources: Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015; Ioffe and Szegedy, "Batch Normalization", ICML 2015.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from edgeseg.specs import VariantSpec
from edgeseg.variants import blocks
from edgeseg.variants.variant import Variant

_TWO = (2,) * (blocks.DEPTH + 1)


def body(keras: Any, x: Any, channels: blocks.Plan, stem: str, *, norms: tuple[bool, bool]) -> Any:
    """Lay the U, as `Variant.body` says; `norms`: whether a block has batch normalisation inside, and at its end."""
    block = blocks.conv_row(keras, channels, stem=stem, norms=norms)
    return blocks.encoder_decoder(keras, x, block, blocks.transposed_up(keras, channels))


def _family(default: VariantSpec, *, norms: tuple[bool, bool]) -> Variant:
    return Variant(
        name=default.name,
        stems=tuple(blocks.SCALES),
        slots=blocks.conv_slots(_TWO),
        default=default,
        body=partial(body, norms=norms),
        convolutions=_TWO,
    )


UNET = _family(VariantSpec(name="unet", alpha=1.0, stem="full"), norms=(False, False))
"""The vanilla U-Net, 64 ... 1024 channels."""
UNET_BN = _family(VariantSpec(name="unet-bn", alpha=1.0, stem="full"), norms=(True, True))
"""The U-Net with batch normalisation after every convolution."""
ALPHAX = _family(VariantSpec(name="alphax", alpha=0.125, stem="half"), norms=(False, True))
"""The U-Net with every width multiplied by alpha, and a half-resolution stem that quarters the arithmetic."""
