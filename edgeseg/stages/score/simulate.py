"""What scanners and protocols do to slices, simulated on patients whose reference is known: how far an artifact bends.

Some patients of the data set lack a sequence, and FLAIR stands in for it there; brightness differs several times
between scanners. A mean over patients hides what happens to the few. Each simulation changes every slice of every
patient in one such way, so that two evaluations of the same patients tell its price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.volume import Volume
from edgeseg.errors import OptionError
from edgeseg.specs import CHANNELS, LGG

AS_IS = "none"
_PRE, _FLAIR, _POST = (CHANNELS.index(name) for name in ("pre", "flair", "post"))

_OF_LGG = frozenset({"no-pre", "no-post", "flair-only"})
"""What these put in the place of a sequence is known for TCGA-LGG's alone."""

_Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def _flair_for(*channels: int) -> _Change:
    def change(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        changed = images.copy()
        changed[..., channels] = images[..., _FLAIR : _FLAIR + 1]
        return changed

    return change


def _brightness(gain: float) -> _Change:
    table = np.clip(np.rint(np.arange(256) * gain), 0, 255).astype(np.uint8)
    return lambda images: table[images]


SIMULATIONS: dict[str, _Change] = {
    AS_IS: lambda images: images,
    "no-pre": _flair_for(_PRE),
    "no-post": _flair_for(_POST),
    "flair-only": _flair_for(_PRE, _POST),
    "half-brightness": _brightness(0.5),
    "double-brightness": _brightness(2.0),
}
"""By name: FLAIR in place of a sequence, or of both others, as in the data set; all grey values times a gain."""


def simulated(volumes: Iterable[Volume], name: str) -> Iterator[Volume]:
    """Give the volumes with their images changed; reference masks stay.

    Args:
        volumes: images `(N, H, W, C) uint8`.
        name: a key of `SIMULATIONS`.

    Raises:
        OptionError: when it is unknown, or takes the place of a sequence in volumes that lack TCGA-LGG's channels.
    """
    check_simulation(name)
    return (_changed(volume, name) for volume in volumes)


def _changed(volume: Volume, name: str) -> Volume:
    if name in _OF_LGG and volume.channels != LGG.names:
        raise OptionError(
            f"the simulation '{name}' puts {LGG.stand_in} in the place of a sequence, which is known for "
            f"{', '.join(LGG.names)}; this data has {', '.join(volume.channels)}, so choose one of: "
            f"{', '.join(other for other in SIMULATIONS if other not in _OF_LGG)}"
        )
    return replace(volume, images=SIMULATIONS[name](volume.images))


def check_simulation(name: str) -> None:
    """Refuse a name that is not in `SIMULATIONS`.

    Raises:
        OptionError: with the names there are.
    """
    if name not in SIMULATIONS:
        raise OptionError(f"the simulation '{name}' is unknown; choose one of: {', '.join(SIMULATIONS)}")
