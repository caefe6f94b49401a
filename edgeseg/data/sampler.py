"""Which slices a training batch holds: a fixed share of tumour slices, seeded by epoch and step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import imaging
from edgeseg.data.augment import Variation, augment, can_be_missing, draw
from edgeseg.data.cache import SliceCache
from edgeseg.data.mapped import let_go
from edgeseg.data.paste import Pastes, draw_pastes, paste
from edgeseg.errors import SplitError
from edgeseg.specs import TrainSpec


@dataclass(frozen=True, slots=True, eq=False)
class Sampler:
    """Batches by (epoch, step), the same for the same seed whatever was asked before.

    Attributes:
        cache: decoded slices.
        tumour_rows: rows of slices with tumour, `(T,) int64`.
        empty_rows: rows without, `(E,) int64`.
        spec: batch size, share of empty slices, crop, augmentation, seed.
        soft: what the teachers say of each row of the cache, `(rows, H, W) uint8`, 255 for certain tumour, of K classes
            `(rows, H, W, K)`; or None.
    """

    cache: SliceCache
    tumour_rows: NDArray[np.int64]
    empty_rows: NDArray[np.int64]
    spec: TrainSpec
    soft: NDArray[np.uint8] | None = None

    @classmethod
    def of(
        cls,
        cache: SliceCache,
        patients: tuple[str, ...],
        spec: TrainSpec,
        soft: NDArray[np.uint8] | None = None,
    ) -> Sampler:
        """Sort the rows of `patients` by whether they hold tumour.

        Raises:
            SplitError: when there is no slice with tumour to learn from.
            OptionError: when channels shall be missing for which nothing stands in.
        """
        if spec.missing_share:
            can_be_missing(cache.channels)
        rows = np.concatenate([np.asarray(cache.rows(p), dtype=np.int64) for p in patients])
        shown: NDArray[np.bool_] = np.concatenate([_shown(cache, patient) for patient in patients])
        has_tumour = shown.any(axis=1)
        if not has_tumour.any():
            raise SplitError(f"none of the {len(patients)} training patients has a slice with tumour; check the masks")
        if absent := [
            name for name, there in zip(cache.classes, np.asarray(shown.any(axis=0)), strict=False) if not there
        ]:
            raise SplitError(
                f"none of the {len(patients)} training patients has the class '{absent[0]}', so nothing can learn it; "
                "leave it out with --labels, or train with patients who have it"
            )
        return cls(cache, rows[has_tumour], rows[~has_tumour], spec, soft)

    @property
    def tumour_per_batch(self) -> int:
        """How many slices of a batch hold tumour."""
        if not len(self.empty_rows):
            return self.spec.batch_size
        return max(1, round(self.spec.batch_size * (1 - self.spec.empty_share)))

    @property
    def steps_per_epoch(self) -> int:
        """One pass over as many tumour slices as there are, unless the spec says otherwise."""
        return self.spec.steps_per_epoch or max(1, len(self.tumour_rows) // self.tumour_per_batch)

    def rows(self, epoch: int, step: int) -> NDArray[np.int64]:
        """The rows of one batch: tumour slices without repetition within an epoch, empty ones drawn at random."""
        shuffled = np.random.default_rng((self.spec.seed, epoch)).permutation(self.tumour_rows)
        start = step * self.tumour_per_batch
        tumour = np.take(shuffled, np.arange(start, start + self.tumour_per_batch), mode="wrap")
        empties = self.spec.batch_size - self.tumour_per_batch
        rng = np.random.default_rng((self.spec.seed, epoch, step, 1))
        return np.concatenate([tumour, rng.choice(self.empty_rows, empties)]) if empties else tumour

    def batch(self, epoch: int, step: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One batch: `(B, c, c, C) float32 in [0, 1]` and its targets.

        The targets are masks, `(B, c, c, 1) float32`, 0 or 1, of K classes `(B, c, c, K)`. With teachers as many
        channels in [0, 1] follow: each mask and what the teachers say of it, mixed by `distil_weight`.
        """
        rng = self._rng(epoch, step)
        pairs = [
            augment(
                self._image(int(row)),
                self._targets(int(row)),
                crop_px=self.spec.crop_px,
                mode=self.spec.augment,
                missing_share=self.spec.missing_share,
                blank_share=self.spec.blank_share,
                rng=rng,
                channels=self.cache.channels,
            )
            for row in self.rows(epoch, step)
        ]
        images, targets = np.stack([image for image, _ in pairs]), np.stack([target for _, target in pairs])
        if self.soft is not None:
            count = targets.shape[-1] // 2
            masks, aims = targets[..., :count], targets[..., count:]
            aims += (1.0 - self.spec.distil_weight) * (masks - aims)
        self.cache.let_go()
        let_go(self.soft)
        pastes = self.pastes(epoch, step)
        return (
            (images, targets)
            if pastes is None
            else paste(np, images, targets, pastes, masks=max(1, len(self.cache.classes)))
        )

    def variations(self, epoch: int, step: int) -> list[Variation]:
        """What each slice of a batch gets, as `batch` draws it, but not done; a batch made elsewhere asks for it."""
        rng, spec = self._rng(epoch, step), self.spec
        size = self.cache.images.shape[1:3]
        return [
            draw(
                size,
                crop_px=spec.crop_px,
                mode=spec.augment,
                rng=rng,
                channels=self.cache.channels,
                missing_share=spec.missing_share,
                blank_share=spec.blank_share,
            )
            for _ in range(spec.batch_size)
        ]

    def pastes(self, epoch: int, step: int) -> Pastes | None:
        """Which crops of a batch receive the tumour of another; None where the spec asks for none."""
        if not self.spec.paste_share:
            return None
        rng = np.random.default_rng((self.spec.seed, epoch, step, 3))
        return draw_pastes(self.spec.batch_size, self.tumour_per_batch, self.spec.paste_share, rng)

    def _rng(self, epoch: int, step: int) -> np.random.Generator:
        return np.random.default_rng((self.spec.seed, epoch, step, 2))

    def _image(self, row: int) -> NDArray[np.uint8]:
        image: NDArray[np.uint8] = self.cache.images[row]
        return imaging.stretch(image[np.newaxis])[0] if self.spec.normalisation == "slice" else image

    def _targets(self, row: int) -> list[NDArray[Any]]:
        masks = _planes(self.cache.masks[row])
        return masks if self.soft is None else [*masks, *_planes(self.soft[row])]

    def names(self, epoch: int, step: int) -> list[str]:
        """The slices of one batch as `<patient>/<slice>`."""
        return [self.cache.slice_name(int(row)) for row in self.rows(epoch, step)]


def _planes(of: NDArray[Any]) -> list[NDArray[Any]]:
    """Take a mask, `(H, W)`, or one of each class, `(H, W, K)`, apart."""
    return [of] if of.ndim == 2 else list(np.ascontiguousarray(np.moveaxis(of, -1, 0)))


def _shown(cache: SliceCache, patient: str) -> NDArray[np.bool_]:
    """Say of each slice of a patient which classes it has: `(N, K) bool`, K = 1 where masks tell tumour alone."""
    rows = cache.rows(patient)
    shown = np.asarray(cache.masks[rows.start : rows.stop].any(axis=(1, 2)))
    cache.let_go()
    return shown.reshape(len(rows), -1)
