"""Connected components of masks, and the post-processing that drops the small ones: part of what a device has to do.

1. On the contract's grid, a pixel is tumour where its logit is above the threshold (`imaging.mask_from_logits`).
2. Tumour pixels are joined into components: those of a lone slice by 8 neighbours within the slice, those of a volume
   by 26 neighbours, so that slice n touches slices n - 1 and n + 1.
3. A component of a lone slice is dropped when it has fewer pixels than `min_area_px`; one of a volume when it has fewer
   voxels than `min_volume_px`, or fewer than `min_share` times those of the volume's largest (in double precision).
4. The logits of what is dropped become `logit_threshold - 1`; only then are they resampled to the slice's own grid and
   thresholded. Where no resampling is needed, the mask is that of step 1 without the dropped components.

A rule at 0 drops nothing. Neither the order in which components are found nor their numbers decide anything. NumPy
alone, since the runtime uses it.

The method: runs of tumour pixels along each row (He, Chao, Suzuki, IEEE TIP 17(5), 2008) are nodes of a graph, joined
where runs of neighbouring rows touch; the forest of Shiloach and Vishkin (Journal of Algorithms 3(1), 1982) joins them.
The work grows with runs times the logarithm of runs, noise included.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import MaskError
from edgeseg.imaging import mask_from_logits
from edgeseg.specs import Contract, PostProcessing

DROPPED_BELOW_THRESHOLD = 1.0
"""How far below the logit threshold the logits of a dropped component are put."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The components of masks as runs, in the order of their first pixel.

    Attributes:
        shape: of the masks, `(N, H, W)`.
        starts: `(R,) int64`, the index of each run's first pixel in the flattened masks, ascending.
        ends: `(R,) int64`, the index after its last one; a run ends with its row.
        owner: `(R,) int64`, the component of each run, in [0, K).
        sizes: `(K,) int64`, pixels of each component.
    """

    shape: tuple[int, int, int]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    owner: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def labels(self) -> NDArray[np.int32]:
        """Return `(N, H, W) int32`: 0 outside, k + 1 in component k."""
        labels = np.zeros(self.shape, np.int32)
        labels.flat[_indices(self.starts, self.ends)] = np.repeat(self.owner + 1, self.ends - self.starts)
        return labels

    def mask(self, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return `(N, H, W) bool` with the components for which `keep`, `(K,) bool`, is true."""
        masks = np.zeros(self.shape, np.bool_)
        runs = keep[self.owner]
        masks.flat[_indices(self.starts[runs], self.ends[runs])] = True
        return masks

    def slice_mask(self, index: int, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return one slice of `mask(keep)`, `(H, W) bool`."""
        size = self.shape[1] * self.shape[2]
        first, last = np.searchsorted(self.starts, (index * size, (index + 1) * size))
        runs = np.arange(first, last)[keep[self.owner[first:last]]]
        mask = np.zeros(self.shape[1:], np.bool_)
        mask.flat[_indices(self.starts[runs], self.ends[runs]) - index * size] = True
        return mask

    def overlap(self, masks: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the pixels of each component that lie in `masks`, `(N, H, W) bool`; gives `(K,) int64`."""
        before = np.concatenate([[0], np.cumsum(masks.ravel(), dtype=np.int64)])
        return _sums(self.owner, before[self.ends] - before[self.starts], len(self.sizes))

    def slices(self) -> NDArray[np.bool_]:
        """Return `(K, N) bool`: whether component k has a pixel in slice n."""
        present = np.zeros((len(self.sizes), self.shape[0]), np.bool_)
        present[self.owner, self.starts // (self.shape[1] * self.shape[2] or 1)] = True
        return present


def find_components(masks: NDArray[np.bool_], *, volume: bool) -> Components:
    """Join the True pixels of masks into components.

    Args:
        masks: `(N, H, W) bool`, or `(H, W) bool` for one slice.
        volume: the slices are neighbours in order, and 26 neighbours join; otherwise each is alone, and 8 do.

    Raises:
        MaskError: when the array is not one mask or a stack of masks.
    """
    if masks.ndim not in (2, 3) or masks.dtype != np.bool_:
        raise MaskError(
            f"an array of shape {masks.shape} and dtype {masks.dtype} is not a mask; (N, H, W) bool is needed"
        )
    count, height, width = shape = masks.shape if masks.ndim == 3 else (1, *masks.shape)
    return _components(*_runs(masks.reshape(count * height, width)), shape, volume=volume)


class RunStack:
    """The slices of a volume, one after another, of which only the runs of tumour pixels are kept."""

    def __init__(self, height: int, width: int) -> None:
        """Begin a volume of slices of one size."""
        self._size, self._count = (height, width), 0
        self._runs: list[NDArray[np.int32]] = []

    def add(self, mask: NDArray[np.bool_]) -> None:
        """Add the next slice, `(H, W) bool`."""
        self._runs.append(np.stack(_runs(mask)).astype(np.int32))
        self._count += 1

    def components(self) -> Components:
        """Join the slices as `find_components` does with `volume=True`."""
        height, width = self._size
        counts = [runs.shape[1] for runs in self._runs]
        rows, first, last = np.concatenate([np.zeros((3, 0), np.int32), *self._runs], axis=1).astype(np.int64)
        rows = rows + np.repeat(np.arange(self._count, dtype=np.int64) * height, counts)
        return _components(rows, first, last, (self._count, height, width), volume=True)


def large_enough(sizes: NDArray[np.int64], spec: PostProcessing, *, volume: bool) -> NDArray[np.bool_]:
    """Say which components stay: `(K,) int64` pixels of each to `(K,) bool`; see the module for the rule."""
    if not volume:
        return sizes >= spec.min_area_px
    largest = int(sizes.max(initial=0))
    return (sizes >= spec.min_volume_px) & (sizes >= spec.min_share * largest)


def post_process(masks: NDArray[np.bool_], spec: PostProcessing, *, volume: bool) -> NDArray[np.bool_]:
    """Drop the components of masks that are too small.

    Args:
        masks: `(N, H, W) bool` or `(H, W) bool`, on the grid of the contract.
        spec: what is too small.
        volume: whether the slices are a volume, in order, or lone slices.

    Returns:
        Masks of the same shape, a subset of those given; the same array where no rule applies.

    Raises:
        MaskError: when the array is not one mask or a stack of masks.
    """
    if not spec.applies(volume=volume):
        return masks
    found = find_components(masks, volume=volume)
    return found.mask(large_enough(found.sizes, spec, volume=volume)).reshape(masks.shape)


def post_process_logits(logits: NDArray[np.float32], contract: Contract, *, volume: bool) -> NDArray[np.float32]:
    """Put the logits of components that are too small below the threshold, so that they can still be resampled.

    Args:
        logits: `(N, H, W) float32` on the grid of the contract; of several masks `(N, H, W, R)`, each by its own rule.
        contract: gives the threshold and what is too small.
        volume: whether the slices are a volume, in order, or lone slices.

    Returns:
        Logits of the same shape; the same array where no rule applies.
    """
    if not contract.drops(volume=volume):
        return logits
    if contract.regions:
        planes = (
            post_process_logits(logits[..., number], one, volume=volume) for number, one in enumerate(contract.masks)
        )
        return np.stack(tuple(planes), axis=-1)
    masks = mask_from_logits(logits, contract)
    dropped = masks & ~post_process(masks, contract.post_processing, volume=volume)
    return np.where(dropped, np.float32(contract.logit_threshold - DROPPED_BELOW_THRESHOLD), logits)


def _runs(rows_of_pixels: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find the runs of True in `(rows, W) bool`: of each its row, its first column and the one after its last."""
    width = rows_of_pixels.shape[1]
    padded = np.pad(rows_of_pixels, ((0, 0), (1, 1)))
    edges = np.flatnonzero(padded[:, 1:] != padded[:, :-1])
    rows, first = np.divmod(edges[0::2], width + 1)
    return rows, first, edges[1::2] - rows * (width + 1)


def _components(
    rows: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    shape: tuple[int, int, int],
    *,
    volume: bool,
) -> Components:
    width = shape[2]
    root = _join(len(rows), *_touching(rows, first, last, shape, volume=volume))
    own = root == np.arange(len(root))
    owner = (np.cumsum(own) - 1)[root]
    sizes = _sums(owner, last - first, int(np.count_nonzero(own)))
    return Components(shape=shape, starts=rows * width + first, ends=rows * width + last, owner=owner, sizes=sizes)


def _touching(
    rows: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    shape: tuple[int, int, int],
    *,
    volume: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair each run with those of earlier rows that it touches, corners included: two `(P,) int64` of run numbers.

    Rows get keys with an empty one between two slices, and pixels keys of `width + 2` a row, so that one sorted search
    finds a row's runs from the one that ends at `first` or later to the one that starts at `last` or earlier.
    """
    _, height, width = shape
    keyed = (rows + rows // height) if height else rows
    step = width + 2
    start_keys, end_keys = keyed * step + first, keyed * step + last
    pairs = [
        _pairs(
            np.searchsorted(end_keys, start_keys - back * step, side="left"),
            np.searchsorted(start_keys, end_keys - back * step, side="right"),
        )
        for back in _rows_back(height, volume=volume)
    ]
    runs, others = zip(*pairs, strict=True)
    return np.concatenate(runs), np.concatenate(others)


def _rows_back(height: int, *, volume: bool) -> Iterator[int]:
    """How many keyed rows before a row its neighbours are that come earlier."""
    yield 1
    if volume:
        yield from (height, height + 1, height + 2)


def _pairs(low: NDArray[np.int64], high: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Write out the pairs (r, low[r]), (r, low[r] + 1) ... (r, high[r] - 1)."""
    counts = np.maximum(high - low, 0)
    return np.repeat(np.arange(len(low)), counts), _indices(low, low + counts)


def _join(count: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each of `count` nodes, the smallest node that edges join it to: `(count,) int64`.

    In each round a tree is hooked to its smallest neighbour, and every path is shortened to its root. After two rounds
    no tree with neighbours is left as it was, so that there are at most logarithmically many.
    """
    root = np.arange(count)
    while len(left):
        low, high = np.minimum(root[left], root[right]), np.maximum(root[left], root[right])
        apart = low != high
        left, right = low[apart], high[apart]
        np.minimum.at(root, right, left)
        while not np.array_equal(shorter := root[root], root):
            root = shorter
    return root


def _indices(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Write out the numbers of ranges: starts[0] ... ends[0] - 1, starts[1] ... one after another."""
    counts = ends - starts
    offsets: NDArray[np.int64] = np.repeat(starts - (np.cumsum(counts) - counts), counts)
    return np.arange(len(offsets)) + offsets


def _sums(owner: NDArray[np.int64], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Sum whole numbers by owner, `(count,) int64`; exact, as sums stay far below 2**53."""
    sums: NDArray[np.int64] = np.bincount(owner, weights=values, minlength=count).astype(np.int64)
    return sums
