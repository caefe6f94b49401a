"""Patients that cost nothing to draw, for benchmarks of what many of them take."""

from __future__ import annotations

import numpy as np

from edgeseg.data.volume import Volume
from edgeseg.specs import LGG, ChannelSet


class Synthetic:
    """Noise with a brighter square in every second slice; satisfies `edgeseg.data.volume.Dataset`."""

    name, classes = "synthetic", ()
    channels: ChannelSet = LGG

    def __init__(self, patients: int, *, slices: int, side: int) -> None:
        """Name them; each has `slices` slices of `side` x `side`."""
        self.patients = tuple(f"SYN_{number % 3}_{number:05d}" for number in range(patients))
        self._slices, self._side = slices, side

    def institution(self, patient: str) -> str:
        """One of three."""
        return patient.split("_")[1]

    def volume(self, patient: str) -> Volume:
        """Draw one: `(slices, side, side, 3) uint8`, the same whenever it is asked for."""
        rng, side = np.random.default_rng(int(patient.split("_")[2])), self._side
        images = rng.integers(0, 120, (self._slices, side, side, 3), np.uint8)
        masks = np.zeros(images.shape[:3], np.bool_)
        row, column = rng.integers(side // 8, side - 3 * side // 8, 2)
        masks[::2, row : row + side // 4, column : column + side // 4] = True
        images[masks] += 100
        return Volume(
            patient=patient,
            institution=self.institution(patient),
            images=images,
            masks=masks,
            slice_names=tuple(f"slice_{number:03d}" for number in range(1, self._slices + 1)),
        )
