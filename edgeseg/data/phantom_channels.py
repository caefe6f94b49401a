"""A phantom in other channels than the three that it is drawn in: by their names, or a blend where a name says nothing.

`pre`, `flair` and `post` are as drawn. `t2` is made from them: bright where water is, which is dark before contrast.
Any other channel is a blend of the three whose weights follow from its name, the same on every machine.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.sequence_names import FLAIR, PRE, T2
from edgeseg.specs import LGG, ChannelSet, channel_set

_HEAD, _WATER = 12, 130
_WHOLE = 256


def phantom_channels(names: tuple[str, ...]) -> ChannelSet:
    """Return the channels of a phantom for a network that takes `names`: those of `LGG` where it takes no others."""
    return LGG if set(names) <= set(LGG.names) else channel_set(names)


def in_channels(images: NDArray[np.uint8], channels: ChannelSet) -> NDArray[np.uint8]:
    """Turn slices as drawn, `(N, H, W, 3) uint8` in the channels of `LGG`, into `(N, H, W, C) uint8`.

    Not copied where the channels are those of `LGG`.
    """
    if channels.names == LGG.names:
        return images
    return np.stack([_channel(images, name) for name in channels.names], axis=-1)


def _channel(images: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    if name in LGG.names:
        return images[..., LGG.names.index(name)]
    if name == T2:
        pre, flair = (images[..., LGG.names.index(one)].astype(np.int32) for one in (PRE, FLAIR))
        return np.where(pre > _HEAD, np.clip(_WATER - pre + flair // 2, 0, 255), pre).astype(np.uint8)
    digest = hashlib.sha256(name.encode()).digest()
    first, second = sorted(byte for byte in digest[:2])
    weights = (first, second - first, _WHOLE - second)
    blend = sum(images[..., place].astype(np.uint32) * weight for place, weight in enumerate(weights)) // _WHOLE
    return np.asarray(blend, dtype=np.uint8)
