"""The phantom's scanners: contrasts of three sequences, coil shading, blur, noise, gain, and what goes wrong.

Tissue values are relative to white matter of the same sequence. They, the gains and the noise were chosen after the
percentiles of TCGA-LGG slices: brain at 30 to 90 grey levels, fat at two to three times that, background at 0 to 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.phantom_anatomy import Layer
from edgeseg.data.phantom_fields import SIDE, Noise, Plane, smooth

PRE, FLAIR, POST = 0, 1, 2
"""The channels."""

CONTRAST: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "air": (0.03, 0.03, 0.03),
        "skin": (1.10, 0.95, 1.30),
        "fat": (2.50, 2.45, 2.20),
        "muscle": (0.72, 0.62, 0.90),
        "mucosa": (0.70, 1.05, 1.70),
        "orbit": (2.60, 2.40, 2.30),
        "eye": (0.36, 0.28, 0.36),
        "lens": (0.80, 0.70, 0.80),
        "bone": (0.10, 0.10, 0.12),
        "marrow": (1.15, 0.95, 1.10),
        "csf": (0.26, 0.16, 0.28),
        "dura": (0.32, 0.30, 0.80),
        "grey": (0.72, 1.14, 0.74),
        "white": (1.00, 1.00, 1.00),
        "plexus": (0.55, 0.80, 1.60),
        "vessel": (0.30, 0.20, 1.70),
        "sinus": (0.55, 0.35, 2.10),
        "oedema": (0.84, 1.50, 0.84),
        "tumour": (0.70, 1.95, 0.72),
        "cyst": (0.40, 0.60, 0.42),
        "enhancing": (0.80, 1.80, 2.00),
    }
)
"""Tissue to signal in pre-contrast T1, FLAIR, post-contrast T1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """What distinguishes one made-up hospital: ranges from which each of its patients is drawn.

    Attributes:
        code: as it stands in the patient's id.
        slices: fewest and most slices.
        scale: size of the head in the picture; 1 is 156 by 196 pixels.
        gain: grey level of white matter, lowest and highest, for pre, FLAIR, post.
        flat: 0 keeps the contrast of grey and white matter on T1, 1 removes it.
        noise: standard deviation in grey levels, before blurring.
        blur: weight of the neighbours in the in-plane blur.
    """

    code: str
    slices: tuple[int, int]
    scale: tuple[float, float]
    gain: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    flat: tuple[float, float]
    noise: tuple[float, float]
    blur: tuple[float, float]


INSTITUTIONS = (
    Institution(
        code="PA", slices=(28, 40), scale=(0.94, 1.02), gain=((38.0, 62.0), (40.0, 58.0), (36.0, 62.0)),
        flat=(0.0, 0.6), noise=(0.9, 2.4), blur=(0.04, 0.12),
    ),
    Institution(
        code="PB", slices=(20, 32), scale=(0.98, 1.08), gain=((40.0, 86.0), (38.0, 62.0), (44.0, 82.0)),
        flat=(0.0, 0.8), noise=(0.6, 1.6), blur=(0.06, 0.16),
    ),
    Institution(
        code="PC", slices=(20, 26), scale=(1.08, 1.20), gain=((32.0, 62.0), (38.0, 62.0), (56.0, 78.0)),
        flat=(0.2, 0.9), noise=(0.8, 2.0), blur=(0.08, 0.18),
    ),
    Institution(
        code="PD", slices=(24, 40), scale=(1.02, 1.14), gain=((48.0, 76.0), (46.0, 68.0), (48.0, 70.0)),
        flat=(0.0, 0.5), noise=(0.8, 1.8), blur=(0.05, 0.14),
    ),
)  # fmt: skip


class Scanner:
    """One examination: every setting that stays the same over the slices of a patient."""

    def __init__(self, rng: np.random.Generator, institution: Institution) -> None:
        """Draw the settings.

        Args:
            rng: the source of the settings.
            institution: whose ranges hold.
        """
        flat = rng.uniform(*institution.flat)
        self._gain = np.array([rng.uniform(*limits) for limits in institution.gain])
        self._noise = rng.uniform(*institution.noise) * rng.uniform(0.7, 1.3, 3)
        self._blur = rng.uniform(*institution.blur, 3)
        self._offset = rng.uniform(0.0, 1.6, 3)
        self._shade = [Noise(rng, 90.0) for _ in range(3)]
        self._texture = [Noise(rng, 4.5, 9.0) for _ in range(3)]
        self._shading = rng.uniform(0.03, 0.10, 3)
        self._tissue = {name: np.array(values) * rng.uniform(0.93, 1.07, 3) for name, values in CONTRAST.items()}
        bright = rng.uniform(0.9, 1.25)
        for name in ("skin", "fat", "orbit", "marrow"):
            self._tissue[name] *= bright
        self._tissue["white"] = np.ones(3)
        self._tissue["grey"][[PRE, POST]] += flat * (0.98 - self._tissue["grey"][[PRE, POST]])
        self._tissue["grey"][FLAIR] = rng.uniform(1.03, 1.25)
        conspicuous = rng.uniform(0.85, 1.25)
        for name in ("oedema", "tumour"):
            self._tissue[name] = 1.0 + conspicuous * (self._tissue[name] - 1.0)
        margin = rng.integers(0, 12, 2)
        self._frame = np.zeros((SIDE, SIDE))
        self._frame[margin[0] : SIDE - margin[0], margin[1] : SIDE - margin[1]] = 1.0

    def expose(self, rng: np.random.Generator, layers: Sequence[Layer], z: float) -> NDArray[np.uint8]:
        """Take the picture of one slice.

        Args:
            rng: the source of the noise.
            layers: tissues in painting order.
            z: height of the slice in pixels, for the shading.

        Returns:
            `(SIDE, SIDE, 3) uint8`, channels = pre, FLAIR, post.
        """
        signal = np.full((3, SIDE, SIDE), CONTRAST["air"][0])
        for layer in layers:
            values = self._tissue.get(layer.tissue)
            if values is None or not layer.cover.any():
                continue
            for channel in range(3):
                signal[channel] += layer.cover * (values[channel] - signal[channel])
        return np.stack([self._sequence(rng, signal[channel], channel, z) for channel in range(3)], -1)

    def _sequence(self, rng: np.random.Generator, signal: Plane, channel: int, z: float) -> NDArray[np.uint8]:
        """Shade, blur and add Rician noise: the magnitude of a complex signal whose two parts are each noisy."""
        shade = 1.0 + self._shading[channel] * self._shade[channel].plane(z) + 0.03 * self._texture[channel].plane(z)
        signal = smooth(smooth(signal * shade * self._gain[channel], 0.12), self._blur[channel])
        noise = smooth(rng.standard_normal((2, SIDE, SIDE)) * self._noise[channel], 0.5 * self._blur[channel])
        magnitude = np.sqrt((signal + noise[0]) ** 2 + noise[1] ** 2) - self._offset[channel]
        levels: NDArray[np.uint8] = (np.clip(magnitude * self._frame, 0.0, 254.4) + 0.5).astype(np.uint8)
        return levels
