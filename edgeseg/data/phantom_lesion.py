"""The phantom's lesions: irregular blobs in three dimensions, bright on FLAIR, some with enhancing or cystic parts."""

from __future__ import annotations

import math

import numpy as np

from edgeseg.data.phantom_anatomy import Head, Layer
from edgeseg.data.phantom_fields import Noise, Plane, ramp


class Lesion:
    """One lesion of one patient."""

    def __init__(self, rng: np.random.Generator, head: Head, *, spacing: float, radius: float) -> None:
        """Draw a lesion where there is brain to hold it.

        Args:
            rng: the source of its place, form and composition.
            head: whose brain it grows in.
            spacing: distance of the slices in pixels; the lesion spans at least three of them.
            radius: mean radius in the plane in pixels.
        """
        self._head, self._radius = head, radius
        self._centre, shape = _place(rng, head, radius), rng.uniform(0.78, 1.28)
        self._radii = (radius * shape, radius / shape, max(radius * rng.uniform(0.8, 1.15), 2.3 * spacing))
        self._turn = rng.uniform(0.0, math.pi)
        self._lobes, self._rim = Noise(rng, max(5.0, 0.55 * radius), 0.8 * radius), Noise(rng, 4.0, 8.0)
        self._texture = Noise(rng, 5.0, 8.0)
        self._ragged = rng.uniform(0.10, 0.24)
        self._core = rng.uniform(0.2, 0.6)
        self._cystic = rng.random() < 0.1
        self._enhancing = rng.uniform(0.35, 1.0) if rng.random() < 0.5 else 0.0

    def depth(self, z: float) -> Plane:
        """Return the signed distance (about, in pixels) into the lesion at height `z`, positive inside."""
        dx, dy = self._head.x - self._centre[0], self._head.y - self._centre[1]
        along = dx * math.cos(self._turn) + dy * math.sin(self._turn)
        across = dy * math.cos(self._turn) - dx * math.sin(self._turn)
        dz = (z - self._centre[2]) / self._radii[2]
        rho = np.sqrt((along / self._radii[0]) ** 2 + (across / self._radii[1]) ** 2 + dz * dz)
        rho += self._ragged * self._lobes.plane(z) + 0.06 * self._rim.plane(z)
        depth: Plane = (1.0 - rho) * self._radius
        return depth

    def reaches(self, z: float) -> bool:
        """Say whether the lesion can show at height `z`."""
        return abs(z - self._centre[2]) < 2.0 * self._radii[2]

    def layers(self, z: float, inside: Plane) -> list[Layer]:
        """Paint the lesion: `inside` is the signed distance into what the mask covers."""
        cover = ramp(inside)
        texture = self._texture.plane(z)
        core = np.clip(inside / (self._core * self._radius) + 0.25 * texture, 0.0, 1.0)
        layers = [Layer("oedema", cover), Layer("tumour", cover * core)]
        hollow = inside - 0.45 * self._radius + 2.0 * texture
        if self._cystic:
            layers.append(Layer("cyst", cover * ramp(hollow, 2.0)))
        if self._enhancing:
            ring = ramp(2.2 - np.abs(hollow), 2.0) * np.clip(0.7 + 0.8 * texture, 0.0, 1.0)
            patch = np.clip(texture - 0.9, 0.0, 1.0) * ramp(inside - 0.3 * self._radius, 3.0)
            layers.append(Layer("enhancing", self._enhancing * cover * np.maximum(ring, patch)))
        return layers


def _place(rng: np.random.Generator, head: Head, radius: float) -> tuple[float, float, float]:
    """Choose a centre in brain, at least a good part of the radius away from bone and midline."""
    best, place = -1e9, (30.0, 0.0, 92.0)
    for _ in range(12):
        z = rng.uniform(62.0, 118.0)
        x, y = rng.choice((-1.0, 1.0)) * rng.uniform(12.0, 52.0), rng.uniform(-66.0, 66.0)
        room = head.section(z, 4.0).room
        nearest = np.unravel_index(int(np.argmin((head.x - x) ** 2 + (head.y - y) ** 2)), room.shape)
        space = float(room[nearest])
        if space > best:
            best, place = space, (x, y, z)
        if best > 0.45 * radius:
            break
    return place
