"""Batches that are cut and varied on an accelerator: slices lie in its memory, and a batch takes a few numbers a crop.

The same draws as on the host (`augment.draw`), the same resampling as Pillow's, in one compiled function of JAX. Grey
values may differ from the host's by a rounding step, and noise comes from JAX's own generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import imaging
from edgeseg.data.augment import MESH, Variation
from edgeseg.data.paste import Pastes, paste
from edgeseg.data.sampler import Sampler
from edgeseg.errors import OptionError, one_line


class DeviceBatches:
    """The batches of a sampler, made on the default device of JAX.

    The slices that the sampler draws from, their masks and what teachers say of them are copied to the device once: 260
    kB a slice of 256 x 256, and 65 kB more with teachers.
    """

    def __init__(self, sampler: Sampler) -> None:
        """Copy the slices of a sampler to the device.

        Raises:
            OptionError: when the device has no room for them.
        """
        import jax

        cache, spec = sampler.cache, sampler.spec
        self.sampler = sampler
        self._drawn = np.sort(np.concatenate([sampler.tumour_rows, sampler.empty_rows]))
        images = np.asarray(cache.images[self._drawn])
        if spec.normalisation == "slice":
            images = imaging.stretch(images)
        masks = _of_classes(np.asarray(cache.masks[self._drawn]).view(np.uint8))
        soft = None if sampler.soft is None else _of_classes(sampler.soft[self._drawn])
        try:
            self._slices = jax.device_put((images, masks, soft))
            for array in jax.tree.leaves(self._slices):
                array.block_until_ready()
        except jax.errors.JaxRuntimeError as error:
            size = sum(array.nbytes for array in (images, masks, soft) if array is not None)
            raise OptionError(
                f"the {len(images)} slices take {size / 1e9:.1f} GB and the device has no room for them "
                f"({one_line(error)}); leave out --augment-on"
            ) from error
        names, stand_in = cache.channels.names, cache.channels.stand_in
        place = names.index(stand_in) if stand_in else 0
        self._make = jax.jit(_maker(images.shape[1:3], spec.crop_px, spec.seed, spec.distil_weight, place))

    def batch(self, epoch: int, step: int) -> tuple[Any, Any]:
        """One batch as `Sampler.batch` has it, as arrays of JAX on the device."""
        numbers = packed(self.sampler.variations(epoch, step))
        rows = np.searchsorted(self._drawn, self.sampler.rows(epoch, step)).astype(np.int32)
        when = np.array([epoch, step], np.uint32)
        pastes = self.sampler.pastes(epoch, step)
        words = None if pastes is None else (pastes.receives, pastes.giver, pastes.rim_px)
        made: tuple[Any, Any] = self._make(self._slices, rows, numbers, words, when)
        return made


def _of_classes(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give rows of one mask, `(S, H, W)`, an axis for it; those of several, `(S, H, W, K)`, have one."""
    return rows if rows.ndim == 4 else rows[..., np.newaxis]


def packed(variations: Sequence[Variation]) -> dict[str, NDArray[np.float32]]:
    """Lay out variations as arrays of `float32`, by name.

    These are `affine (B, 6)`, `bend (B, 5, 5, 2)`, `gain`, `gamma` and `missing`, `(B, C)` each, and `noise (B,)`.
    `missing` is 1 for a channel that another stands in for.
    """
    still = np.zeros((MESH + 1, MESH + 1, 2))
    missing = np.zeros((len(variations), len(variations[0].gain)), np.float32)
    for index, variation in enumerate(variations):
        missing[index, list(variation.missing)] = 1.0
    return {
        "affine": np.array([v.affine for v in variations], np.float32),
        "bend": np.array([still if v.bend is None else v.bend for v in variations], np.float32),
        "gain": np.array([v.gain for v in variations], np.float32),
        "gamma": np.array([v.gamma for v in variations], np.float32),
        "missing": missing,
        "noise": np.array([v.noise for v in variations], np.float32),
    }


def _maker(
    size: tuple[int, int], crop_px: int, seed: int, distil_weight: float, stand_in: int
) -> Callable[..., tuple[Any, Any]]:
    """Return the function that makes one batch, to be compiled."""
    import jax
    import jax.numpy as jnp

    def make(slices: Any, rows: Any, numbers: Any, pastes: Any, when: Any) -> tuple[Any, Any]:
        images, masks, soft = slices
        where = _Where(size, crop_px, rows, numbers)
        pixels = _varied(where.bilinear(images), numbers, stand_in)
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), when[0]), when[1])
        noise = jax.random.normal(key, pixels.shape) * numbers["noise"][:, None, None, None]
        crops, goals = jnp.clip(pixels + noise, 0.0, 1.0), where.nearest(masks)
        if soft is not None:
            aims = distil_weight * (where.bilinear(soft) / 255.0) + (1.0 - distil_weight) * goals
            goals = jnp.concatenate([goals, aims], axis=-1)
        if pastes is None:
            return crops, goals
        receives, giver, rim_px = pastes
        words = Pastes(receives=receives, giver=giver, rim_px=rim_px)
        return paste(jnp, crops, goals, words, masks=masks.shape[-1])

    return make


def _varied(grey: Any, numbers: Any, stand_in: int) -> Any:
    """Apply gamma, gain and missing channels to grey values in [0, 255]; they stay whole ones, as on a device."""
    import jax.numpy as jnp

    gain, gamma = (numbers[name][:, None, None, :] for name in ("gain", "gamma"))
    pixels = jnp.round(255.0 * jnp.clip(gain * (grey / 255.0) ** gamma, 0.0, 1.0)) / 255.0
    missing = numbers["missing"][:, None, None, :] > 0
    return jnp.where(missing, pixels[..., stand_in : stand_in + 1], pixels)


class _Where:
    """Where the pixels of crops lie in their slices, `(B, crop_px, crop_px)` each; black outside, as Pillow has it."""

    def __init__(self, size: tuple[int, int], crop_px: int, rows: Any, numbers: Any) -> None:
        import jax.numpy as jnp

        self.height, self.width = size
        self.rows = rows[:, None, None]
        centres = jnp.arange(crop_px) + 0.5
        a, b, c, d, e, f = (numbers["affine"][:, k, None, None] for k in range(6))
        hats = jnp.asarray(_hats(crop_px))
        moved = jnp.einsum("yi,bijk,xj->byxk", hats, numbers["bend"], hats, precision="highest")
        self.x = a * centres[None, None, :] + b * centres[None, :, None] + c + moved[..., 0]
        self.y = d * centres[None, None, :] + e * centres[None, :, None] + f + moved[..., 1]
        self.inside = (self.x >= 0) & (self.x < self.width) & (self.y >= 0) & (self.y < self.height)

    def nearest(self, stack: Any) -> Any:
        """Sample `(S, H, W, K) uint8` to `(B, c, c, K) float32`."""
        import jax.numpy as jnp

        return jnp.where(self.inside[..., None], self._at(stack, jnp.floor(self.x), jnp.floor(self.y)), 0.0)

    def bilinear(self, stack: Any) -> Any:
        """Sample `(S, H, W, C) uint8` to `(B, c, c, C) float32`, whole numbers in [0, 255]."""
        import jax.numpy as jnp

        left, top = jnp.floor(self.x - 0.5), jnp.floor(self.y - 0.5)
        across, down = (self.x - 0.5 - left)[..., None], (self.y - 0.5 - top)[..., None]

        upper, lower = (
            self._at(stack, left, y) * (1 - across) + self._at(stack, left + 1, y) * across for y in (top, top + 1)
        )
        return jnp.where(self.inside[..., None], jnp.floor(upper * (1 - down) + lower * down + 1e-3), 0.0)

    def _at(self, stack: Any, x: Any, y: Any) -> Any:
        """The pixels at whole coordinates, of the nearest edge where they lie outside: `(B, c, c, C) float32`."""
        import jax.numpy as jnp

        row = jnp.clip(y, 0, self.height - 1).astype(jnp.int32)
        column = jnp.clip(x, 0, self.width - 1).astype(jnp.int32)
        return stack[self.rows, row, column].astype(jnp.float32)


def _hats(crop_px: int) -> NDArray[np.float32]:
    """Weigh the nodes of the grid for each pixel along one axis, linear between them: `(crop_px, MESH + 1)`."""
    edges = np.array([round(crop_px * i / MESH) for i in range(MESH + 1)], np.float64)
    centres = np.arange(crop_px) + 0.5
    return np.stack([np.interp(centres, edges, row) for row in np.eye(MESH + 1)], axis=-1).astype(np.float32)
