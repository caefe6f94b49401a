"""Smooth random fields and soft edges: what the phantom's anatomy is drawn with.

Everything is float64, so that the last bit of a mathematics library never reaches a rounded uint8 pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
Point = tuple[float, float, float]

SIDE = 256
"""Height and width of a phantom slice in pixels."""

_UNIT_VARIANCE = (315.0 / 151.0) ** 0.5
"""Per axis: what brings white noise on a lattice, smoothed by a cubic B-spline, back to a mean variance of one."""


def _taps(position: Plane) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the first lattice node and the four uniform cubic B-spline weights of each position."""
    node = np.floor(position).astype(np.int64)
    t = position - node
    u = 1.0 - t
    weights = [u**3, 4.0 - 6.0 * t**2 + 3.0 * t**3, 4.0 - 6.0 * u**2 + 3.0 * u**3, t**3]
    return node, np.stack(weights, -1) / 6.0


class Noise:
    """A band-limited Gaussian field over the volume: white noise on a coarse lattice under a cubic B-spline."""

    def __init__(self, rng: np.random.Generator, spacing: float, spacing_z: float | None = None) -> None:
        """Draw the lattice.

        Args:
            rng: the source of the nodes.
            spacing: in-plane distance of the nodes in pixels; features are about three times as wide.
            spacing_z: the same along the patient's axis; as in the plane when None.
        """
        self._spacing_z = spacing if spacing_z is None else spacing_z
        self._node, self._weights = _taps(np.arange(SIDE) / spacing)
        count = int(self._node[-1]) + 4
        self._nodes = rng.standard_normal((int(320 / self._spacing_z) + 5, count, count)) * _UNIT_VARIANCE**3

    def plane(self, z: float) -> Plane:
        """Return the field at height `z` (pixels, -80 to 240) as `(SIDE, SIDE) float64` of mean 0 and variance 1."""
        node, weights = _taps(np.asarray([(z + 80.0) / self._spacing_z]))
        nodes = np.zeros(self._nodes.shape[1:])
        for tap in range(4):
            nodes += weights[0, tap] * self._nodes[node[0] + tap]
        return self._stretch(np.ascontiguousarray(self._stretch(nodes).T))

    def _stretch(self, nodes: Plane) -> Plane:
        """Interpolate the first axis from the lattice to the pixels, without the threads of a matrix product."""
        out = self._weights[:, :1] * nodes[self._node]
        for tap in range(1, 4):
            out += self._weights[:, tap : tap + 1] * nodes[self._node + tap]
        return out


def ramp(distance: Plane, width: Plane | float = 1.0) -> Plane:
    """Turn a signed distance in pixels into a coverage in [0, 1], with a linear edge `width` pixels wide."""
    return np.clip(distance / width + 0.5, 0.0, 1.0)


def ellipsoid(x: Plane, y: Plane, z: float, centre: Point, radii: Point) -> Plane:
    """Return the signed distance (about, in pixels, positive inside) to the surface of an ellipsoid."""
    dz = (z - centre[2]) / radii[2]
    rho = np.sqrt(((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 + dz * dz)
    return (1.0 - rho) * min(radii)


def tube(x: Plane, y: Plane, z: float, start: Point, end: Point, radii: tuple[float, float]) -> Plane:
    """Return the signed distance (pixels, positive inside) to a tube; `radii` are those at its start and end."""
    (x0, y0, z0), (x1, y1, z1) = start, end
    dx, dy, dz = x1 - x0, y1 - y0, z1 - z0
    along = np.clip(((x - x0) * dx + (y - y0) * dy + (z - z0) * dz) / (dx * dx + dy * dy + dz * dz), 0.0, 1.0)
    gap = (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2 + (z - z0 - along * dz) ** 2
    return radii[0] + along * (radii[1] - radii[0]) - np.sqrt(gap)


def smooth(image: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Blur the last two axes with the kernel [weight, 1 - 2 weight, weight]; `weight` in [0, 0.25]."""
    for axis in (-2, -1):
        moved = np.moveaxis(image, axis, 0)
        out = moved * (1.0 - 2.0 * weight)
        out[1:] += weight * moved[:-1]
        out[:-1] += weight * moved[1:]
        image = np.moveaxis(out, 0, axis)
    return image
