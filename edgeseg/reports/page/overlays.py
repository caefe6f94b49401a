"""Pictures of what an artifact draws: agreement, misses and false alarms in colour over the reference channel."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeseg.data.volume import Volume
from edgeseg.specs import channel_set

HIT, MISSED, FALSE_ALARM = (46, 160, 67), (230, 60, 60), (250, 190, 40)
"""Colours, RGB: tumour that both draw, tumour that the artifact misses, and what it alone draws."""
_SHARE = 0.45
_WIDTH_PX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """One picture as a `data:` URI, with its caption, and the channel that was drawn on."""

    caption: str
    channel: str
    uri: str
    width_px: int
    height_px: int


def paint(grey: NDArray[np.uint8], mask: NDArray[np.bool_], reference: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Colour one slice: `(H, W) uint8`, two `(H, W) bool` -> `(H, W, 3) uint8`."""
    painted = np.repeat(grey[..., np.newaxis], 3, axis=-1).astype(np.float32)
    for where, colour in ((mask & reference, HIT), (reference & ~mask, MISSED), (mask & ~reference, FALSE_ALARM)):
        painted[where] = (1 - _SHARE) * painted[where] + _SHARE * np.array(colour, np.float32)
    return np.rint(painted).astype(np.uint8)


def overlay(
    volume: Volume, index: int, mask: NDArray[np.bool_], reference: NDArray[np.bool_], name: str = ""
) -> Overlay:
    """Draw one slice of a volume with two masks, `(H, W) bool`, over its reference channel.

    `name` is what the masks are of, where there are several of a slice.
    """
    channel = channel_set(volume.channels).reference
    place = volume.channels.index(channel)
    picture = Image.fromarray(paint(volume.images[index, ..., place], mask, reference))
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=True)
    missed, extra = int((reference & ~mask).sum()), int((mask & ~reference).sum())
    return Overlay(
        caption=f"{', '.join(filter(None, (volume.patient, volume.slice_names[index], name)))}: "
        f"{int((mask & reference).sum())} px agree, {missed} missed, {extra} false",
        channel=channel,
        uri=f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}",
        width_px=_WIDTH_PX,
        height_px=round(_WIDTH_PX * picture.height / picture.width),
    )
