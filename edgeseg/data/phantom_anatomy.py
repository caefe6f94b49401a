"""The phantom's head: which tissue is where, drawn slice by slice from implicit surfaces in three dimensions.

Coordinates are in pixels of a standard head: x to the patient's left, y from the forehead to the back, z from the
upper jaw (0) to the vertex (about 155); the origin of x and y is the middle of the head.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgeseg.data.phantom_fields import SIDE, Noise, Plane, ellipsoid, ramp, tube

FLOOR_Z, VERTEX_Z = -4.0, 158.0
"""The heights between which a head has anything to show."""

_VENTRICLE = (
    ((13.0, -37.0, 80.0), (7.0, -16.0, 87.0), (2.4, 4.0)),
    ((7.0, -16.0, 87.0), (12.0, 10.0, 98.0), (4.0, 4.4)),
    ((12.0, 10.0, 98.0), (23.0, 33.0, 86.0), (4.4, 5.0)),
    ((23.0, 33.0, 86.0), (25.0, 54.0, 78.0), (4.6, 1.6)),
    ((23.0, 33.0, 86.0), (34.0, 8.0, 60.0), (4.2, 1.8)),
    ((34.0, 8.0, 60.0), (31.0, -10.0, 54.0), (1.8, 1.2)),
)
"""One lateral ventricle as tubes: start, end, the radius at each."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One tissue and its coverage, `(SIDE, SIDE) float64` in [0, 1], painted over the layers before it."""

    tissue: str
    cover: Plane


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One slice of a head.

    Attributes:
        layers: tissues in painting order, on a background of air.
        room: signed distance in pixels into tissue where a lesion can grow (brain without ventricles and midline).
    """

    layers: tuple[Layer, ...]
    room: Plane


class Head:
    """One patient's head without disease."""

    def __init__(self, rng: np.random.Generator, *, scale: float) -> None:
        """Draw a head.

        Args:
            rng: the source of every individual trait.
            scale: size of the head in the picture; 1 is 156 by 196 pixels.
        """
        angle = math.radians(rng.uniform(-7.0, 7.0))
        rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
        across = (columns - 127.5 - rng.uniform(-4.0, 4.0)) / scale
        down = (rows - 124.0 - rng.uniform(-5.0, 5.0)) / scale
        self.x = across * math.cos(angle) + down * math.sin(angle)
        self.y = down * math.cos(angle) - across * math.sin(angle)
        self._half_width, self._half_length = rng.uniform(73.0, 81.0), rng.uniform(93.0, 101.0)
        self._tilt = rng.uniform(-0.10, 0.10)
        self._scalp, self._skull = rng.uniform(3.6, 6.0), rng.uniform(3.8, 6.0)
        self._gap = rng.uniform(0.3, 1.5)
        self._sulcus, self._reach = rng.uniform(0.25, 1.0), rng.uniform(9.0, 16.0)
        self._folds = int(rng.integers(7, 11))
        self._ventricle = rng.uniform(-0.8, 2.2)
        self._sides = rng.uniform(-0.6, 0.6)
        self._coarse, self._wide = Noise(rng, 22.0), Noise(rng, 45.0)
        self._meander, self._branch = Noise(rng, 13.0, 16.0), Noise(rng, 7.5, 11.0)
        self._fine = Noise(rng, 4.0, 6.0)

    def section(self, z: float, thickness: float, swelling: Plane | None = None) -> Section:
        """Draw the slice at height `z`.

        Args:
            z: height in pixels.
            thickness: of the slice in pixels; what lies oblique to it is blurred accordingly.
            swelling: coverage of a lesion, in [0, 1], that closes the sulci around it.
        """
        y = self.y + self._tilt * (z - 75.0)
        x = self.x + 1.5 * self._wide.plane(z)
        coarse = self._coarse.plane(z)
        fine = self._fine.plane(z)
        depth, slope = self._depth(x, y, z)
        edge = np.sqrt(1.0 + (0.9 * thickness * slope) ** 2)
        scalp = self._scalp + 1.1 * coarse * 0.5 + 1.5 * np.clip(y / 98.0, 0.0, 1.0)
        dome, base = depth - scalp - self._skull, 0.9 * (z - _base_height(x, y, coarse))
        inner = np.minimum(dome, base)
        layers = [Layer("skin", ramp(depth, edge)), Layer("fat", ramp(depth - 1.6, edge))]
        layers += self._face(x, y, z, depth - scalp, coarse, fine)
        layers += self._orbits(x, y, z, depth)
        layers.append(Layer("bone", ramp(inner + self._skull, edge)))
        marrow = 0.22 * self._skull + 0.35 * coarse - np.abs(inner + 0.5 * self._skull)
        layers.append(Layer("marrow", 0.75 * ramp(marrow, edge) * ramp(depth - scalp, edge)))
        edge = np.where(base < dome, edge + 0.7 * thickness, edge)
        layers.append(Layer("csf", ramp(inner, edge)))
        layers.append(Layer("dura", 0.7 * ramp(1.0 - np.abs(inner - 0.6), edge)))
        brain, room = self._brain(x, y, z, inner, edge, swelling)
        return Section(tuple(layers + brain), room)

    def _depth(self, x: Plane, y: Plane, z: float) -> tuple[Plane, Plane]:
        """Return the distance below the skin in pixels, and how steeply it changes along z."""
        low = max(0.0, (62.0 - z) / 62.0)
        up = max(0.0, z - 62.0) / (VERTEX_Z - 6.0 - 62.0)
        along = y / self._half_length
        width = self._half_width * (0.97 + (0.06 + 0.08 * low) * along + 0.07 * along**2 - 0.04 * low)
        length = self._half_length * (1.0 - 0.04 * low)
        rho = np.sqrt((x / width) ** 2 + (y / length) ** 2 + up * up) + 1e-6
        up_slope = up / (VERTEX_Z - 68.0)
        steep = np.sqrt((x / width**2) ** 2 + (y / length**2) ** 2 + up_slope**2) + 1e-6
        depth = (1.0 - rho) * rho / steep
        nose = ellipsoid(x, y, z, (0.0, -self._half_length + 8.0, 24.0), (14.0, 22.0, 30.0))
        ears = ellipsoid(np.abs(x), y, z, (self._half_width - 1.0, 8.0, 26.0), (7.0, 13.0, 15.0))
        return np.maximum(depth, np.maximum(nose, ears)), up_slope / steep

    def _face(self, x: Plane, y: Plane, z: float, under: Plane, coarse: Plane, fine: Plane) -> list[Layer]:
        """Muscle, fat, bone and air below the base of the skull."""
        side = np.abs(x)
        jitter = 2.0 * coarse
        air = [
            ellipsoid(side, y, z, (27.0, -56.0, 18.0), (13.0, 15.0, 15.0)) + 1.5 * jitter,
            ellipsoid(side, y, z, (10.0, -86.0, 76.0), (9.0, 5.0, 12.0)) + 0.5 * jitter,
            ellipsoid(x, y, z, (0.0, -32.0, 40.0), (10.0, 12.0, 13.0)) + 0.5 * jitter,
            ellipsoid(x, y, z, (0.0, -18.0, 2.0), (13.0, 9.0, 22.0)) + 0.5 * jitter,
        ]
        mastoid = ellipsoid(side, y, z, (52.0, 24.0, 32.0), (15.0, 17.0, 17.0)) + jitter
        nasal = ellipsoid(x, y, z, (0.0, -66.0, 28.0), (12.0, 34.0, 36.0))
        inside = ramp(under, 2.0)
        return [
            Layer("muscle", inside),
            Layer("fat", inside * np.clip(0.7 * coarse + 0.4 * fine - 0.2, 0.0, 0.9)),
            Layer("bone", inside * np.clip(-0.7 * coarse + 0.6 * fine - 0.7, 0.0, 0.9)),
            Layer("mucosa", inside * ramp(nasal, 2.0)),
            Layer("air", inside * ramp(nasal, 2.0) * np.clip(0.9 * fine + 0.7 * np.sin(side * 1.1), 0.0, 1.0)),
            Layer("air", inside * ramp(np.maximum.reduce(air), 1.5)),
            Layer("bone", inside * ramp(mastoid, 3.0) * np.clip(0.8 + 0.5 * fine, 0.0, 1.0)),
        ]

    def _orbits(self, x: Plane, y: Plane, z: float, depth: Plane) -> list[Layer]:
        """Fat, muscles, nerve and the eyes."""
        if abs(z - 48.0) > 19.0:
            return []
        side = np.abs(x)
        cone = np.minimum(ellipsoid(side, y, z, (29.0, -60.0, 48.0), (17.0, 27.0, 17.0)), depth)
        eye = ellipsoid(side, y, z, (31.0, -74.0, 48.0), (12.5, 12.5, 13.0))
        nerve = tube(side, y, z, (29.0, -63.0, 48.0), (14.0, -36.0, 50.0), (2.4, 2.0))
        rectus = np.maximum(
            tube(side, y, z, (19.0, -70.0, 48.0), (15.0, -40.0, 50.0), (2.0, 2.2)),
            tube(side, y, z, (43.0, -66.0, 48.0), (19.0, -40.0, 50.0), (1.8, 2.0)),
        )
        return [
            Layer("orbit", ramp(cone, 2.0)),
            Layer("muscle", ramp(np.maximum(nerve, rectus), 1.5)),
            Layer("muscle", ramp(eye + 1.5)),
            Layer("eye", ramp(eye)),
            Layer("lens", ramp(ellipsoid(side, y, z, (31.0, -84.0, 48.0), (5.0, 2.5, 5.0)))),
        ]

    def _brain(
        self, x: Plane, y: Plane, z: float, inner: Plane, edge: Plane, swelling: Plane | None
    ) -> tuple[list[Layer], Plane]:
        """Grey and white matter, the fluid around and inside, vessels."""
        side, meander, branch = np.abs(x), self._meander.plane(z), self._branch.plane(z)
        open_ = 1.0 if swelling is None else 1.0 - 0.85 * swelling
        surface = inner - self._gap - 0.35 * np.clip(meander, 0.0, 2.0)
        fissures = self._fissures(side + 1.5 * branch, x + 0.8 * meander, y + 2.5 * meander, z, open_)
        stem = ellipsoid(x, y, 0.0, (0.0, 16.0 - 0.16 * (62.0 - z), 0.0), (13.5, 12.0, 9.0)) if z < 66.0 else None
        cerebellum = _cerebellum(x, y, z)
        outer = np.minimum(surface, fissures)
        pial = np.minimum(outer, self._sulci(x, y, np.minimum(surface, side), meander, branch, open_))
        pial = np.where(cerebellum > 0.0, outer, pial)
        ribbon = pial - 3.4 - 0.6 * branch
        ventricles = self._ventricles(x, side, y, z)
        layers = [Layer("grey", ramp(pial, edge)), Layer("white", ramp(ribbon, 1.2 * edge))]
        layers += _deep_grey(side, y, z, meander)
        if z < 74.0:
            folia = np.clip(0.55 + 0.45 * np.sin(0.95 * surface + 1.2 * branch), 0.0, 1.0)
            layers.append(Layer("csf", 0.7 * ramp(0.4 - np.abs(cerebellum + 0.6 * branch)) * ramp(outer)))
            layers.append(Layer("grey", ramp(np.minimum(cerebellum - 1.0, surface)) * folia))
        if stem is not None:
            ring = np.minimum(np.minimum(stem + 3.5, inner), 16.0 - y)
            layers.append(Layer("csf", ramp(ring, 2.0)))
            layers.append(Layer("white", ramp(np.minimum(stem, inner))))
        layers.append(Layer("csf", ramp(ventricles, 1.4)))
        plexus = ellipsoid(side, y, z, (21.0 + self._ventricle, 30.0, 87.0), (2.6, 5.0, 5.0))
        layers.append(Layer("plexus", 0.8 * ramp(plexus)))
        layers += _vessels(x, y, z, inner, pial, branch)
        room = np.minimum(np.minimum(surface, fissures), -1.5 - ventricles)
        below = cerebellum if stem is None else np.maximum(stem, cerebellum)
        return layers, np.minimum(room, -below)

    def _sulci(self, x: Plane, y: Plane, outer: Plane, meander: Plane, branch: Plane, open_: Plane | float) -> Plane:
        """Return the distance outside the sulci: the zero lines of a folded field, shallower the deeper they reach."""
        angle = np.arctan2(y * 0.8, np.abs(x) - 34.0)
        field = np.sin(self._folds * angle + 1.5 * meander + np.where(x > 0.0, 0.0, 1.9)) + 0.5 * branch
        rows, columns = np.gradient(field)
        line = np.abs(field) / np.sqrt(rows**2 + columns**2 + 0.004)
        near = np.sqrt(y**2 + (np.abs(x) - 34.0) ** 2)
        reach = (self._reach + 5.0 * meander) * np.clip((near - 10.0) / 16.0, 0.0, 1.0)
        width = self._sulcus * 1.5 * np.clip(1.15 - outer / np.maximum(reach, 2.0), 0.0, 1.0) * open_
        clear: Plane = np.sqrt(line**2 + np.clip(outer - reach, 0.0, None) ** 2) - width + 0.8 * (1.0 - open_)
        return clear

    def _fissures(self, side: Plane, x: Plane, y: Plane, z: float, open_: Plane | float) -> Plane:
        """Return the distance outside the midline and Sylvian fissures."""
        shut = np.maximum(28.0 * ramp(np.asarray(104.0 - z), 24.0) - np.abs(y + 2.0), 0.0)
        midline = np.abs(x) - (0.55 + 0.5 * self._sulcus) + 0.6 * shut
        if not 52.0 < z < 96.0:
            return midline
        tall = 17.0 - 0.35 * abs(z - 74.0)
        insula = np.sqrt((side - 41.0 - 0.004 * y**2) ** 2 + np.clip(np.abs(y + 8.0) - tall, 0.0, None) ** 2)
        stalk = np.sqrt((y + 14.0 + 0.25 * (side - 50.0)) ** 2 + np.clip(np.abs(side - 53.0) - 13.0, 0.0, None) ** 2)
        sylvian = np.minimum(insula, stalk) - (0.5 + self._sulcus) * open_
        return np.minimum(midline, sylvian)

    def _ventricles(self, x: Plane, side: Plane, y: Plane, z: float) -> Plane:
        """Return the signed distance into the ventricles, positive inside."""
        inside = np.full_like(x, -20.0)
        wider = self._ventricle + self._sides * np.sign(x)
        for start, end, radii in _VENTRICLE:
            if min(start[2], end[2]) - 12.0 < z < max(start[2], end[2]) + 12.0:
                inside = np.maximum(inside, tube(side, y, z, start, end, radii) + wider)
        if 60.0 < z < 84.0:
            inside = np.maximum(inside, ellipsoid(x, y, z, (0.0, 2.0, 72.0), (2.2 + 0.5 * self._ventricle, 13.0, 11.0)))
        if 20.0 < z < 54.0:
            inside = np.maximum(inside, ellipsoid(x, y, z, (0.0, 32.0, 38.0), (7.0, 4.5, 13.0)))
        return inside


def _base_height(x: Plane, y: Plane, coarse: Plane) -> Plane:
    """Return how high the floor of the skull is: three fossae, the petrous ridges between the last two."""
    side = np.abs(x)
    ridge = 0.55 * side - 8.0
    behind_wing = ramp(y + 34.0 - 0.1 * side, 16.0)
    behind_ridge = ramp(y - ridge, 12.0)
    front = 55.0 + 0.05 * side + 0.28 * np.clip(-40.0 - y, 0.0, None)
    middle = 42.0 + 13.0 * ramp(17.0 - side, 8.0)
    back = 14.0 + 0.006 * (x**2 + (y - 30.0) ** 2)
    floor = front * (1.0 - behind_wing) + behind_wing * (middle * (1.0 - behind_ridge) + back * behind_ridge)
    petrous = np.clip(1.0 - ((y - ridge) / 11.0) ** 2, 0.0, 1.0) * ramp(side - 16.0, 8.0)
    return floor + 17.0 * petrous + 2.2 * coarse


def _cerebellum(x: Plane, y: Plane, z: float) -> Plane:
    """Return the signed distance into the cerebellum, positive inside: what lies below the tentorium."""
    if z > 74.0:
        return np.full_like(x, -20.0)
    tent = 72.0 - 0.55 * np.abs(x) - 0.25 * np.clip(y - 35.0, 0.0, None) - z
    return np.minimum(0.85 * tent, y - 0.45 * np.abs(x) - 6.0)


def _deep_grey(side: Plane, y: Plane, z: float, jitter: Plane) -> list[Layer]:
    """Caudate, lentiform nucleus and thalamus."""
    if not 60.0 < z < 102.0:
        return []
    bulge = 0.7 * jitter
    nuclei = [
        ellipsoid(side, y, z, (15.0, -22.0, 86.0), (4.5, 11.0, 12.0)) + bulge,
        ellipsoid(side, y, z, (27.0, -8.0, 77.0), (6.0, 17.0, 12.0)) + bulge,
        ellipsoid(side, y, z, (10.5, 13.0, 78.0), (8.5, 12.0, 12.0)) + bulge,
    ]
    return [Layer("grey", 0.8 * ramp(np.maximum.reduce(nuclei), 2.0))]


def _vessels(x: Plane, y: Plane, z: float, inner: Plane, pial: Plane, branch: Plane) -> list[Layer]:
    """Sinuses, cortical veins and arteries: flow voids before contrast, bright after it."""
    sinus = np.minimum(4.0 - np.abs(x) - 0.5 * np.abs(inner - 3.0), 3.5 - np.abs(inner - 2.0))
    sinus = np.where(np.abs(y) > 20.0, sinus, -9.0)
    veins = np.clip(1.6 * branch - 1.5, 0.0, 1.0) * ramp(1.2 - np.abs(pial), 1.0) * ramp(inner)
    layers = [Layer("vessel", 0.75 * veins)]
    if z > 44.0:
        layers.append(Layer("sinus", ramp(sinus)))
    if 50.0 < z < 64.0:
        circle = ellipsoid(np.abs(x), y, z, (9.0, -14.0, 57.0), (3.0, 2.2, 8.0))
        layers.append(Layer("vessel", ramp(circle)))
    return layers
