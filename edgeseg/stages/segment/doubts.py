"""What makes the masks of a whole scan doubtful, though each step went well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeseg.specs import OUTPUTS, Contract

if TYPE_CHECKING:
    from edgeseg.runtime import SliceMask

COVERED_SHARE = 0.6
"""Of the pixels above 0. In 88 patients of the Kaggle LGG set tumours cover up to 4 % of a scan and 12 % of a slice."""


class Doubts:
    """Counts over the slices of one scan."""

    def __init__(self) -> None:
        """Begin with none."""
        self._slices = self._flat = self._head = self._tumour = 0
        self._low, self._high = float("inf"), float("-inf")

    def saw(self, image: NDArray[np.uint8]) -> None:
        """Count a slice, `(h, w, 3) uint8`, that is to be segmented."""
        self._slices += 1
        self._flat += bool((image == image[:1, :1]).all())
        self._head += int(np.count_nonzero(image.any(axis=2)))

    def drew(self, done: SliceMask) -> None:
        """Count a slice's mask."""
        self._tumour += int(np.count_nonzero(done.mask if done.mask.ndim == 2 else done.mask.any(axis=2)))
        self._low, self._high = min(self._low, done.logit_range[0]), max(self._high, done.logit_range[1])

    def told(self, contract: Contract, *, volume: bool) -> list[str]:
        """Say what a reader should doubt, in one sentence each; `volume` says whether the slices are one."""
        found = []
        if contract.by_volume and not volume:
            found.append(
                "the network's grey values are normalised over a whole volume, and these slices stand alone, so each "
                "was normalised by its own pixels: the masks can differ; give the folder with all slices of the patient"
            )
        if contract.output == OUTPUTS[0] and self._low >= 0.0 and self._high <= 1.0:
            found.append(
                f"the network's values lie between {self._low:.3g} and {self._high:.3g}, which looks "
                "like probabilities, and its contract says logits; if they are, the masks are wrong: give it a "
                'contract with "output": "probabilities"'
            )
        if self._flat == self._slices:
            found.append("there is no signal: each slice has one value throughout, so nothing can be found in it")
        elif self._tumour > COVERED_SHARE * self._head:
            share = f"{self._tumour / self._head:.0%}" if self._head else "more"
            found.append(
                f"the mask covers {share} of what is not black, which no tumour does; the model or its contract does "
                "not fit these slices, so do not rely on it"
            )
        return found
