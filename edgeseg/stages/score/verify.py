"""Whether an artifact still computes what the network it came from computes: logits and flipped mask pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from edgeseg.data.volume import Volume
from edgeseg.errors import ContractError, DatasetError, OptionError
from edgeseg.imaging import mask_from_logits
from edgeseg.progress import Progress
from edgeseg.results import ParityResult
from edgeseg.specs import Contract, without_trust
from edgeseg.stages.predict import Predictor, slice_label, volume_logits

_MUST_AGREE = ("channels", "height", "width", "normalisation", "scale", "threshold", "regions")


def verify(
    predictor: Predictor,
    reference: Predictor,
    volumes: Iterable[Volume],
    *,
    artifact: str,
    max_flip_ppm: float,
    progress: Progress | None = None,
) -> ParityResult:
    """Run the same slices through both and compare what comes out, one volume in memory at a time.

    A pixel is flipped when one side calls it tumour at the operating threshold and the other does not; flips are
    counted on the network's grid, on raw masks before any post-processing, and given per million pixels. The worst
    slice is the one with most flips, and among equals the one with the largest logit difference, so it is named even
    when nothing flipped.

    Args:
        predictor: the artifact.
        reference: what it is held against, as a rule the float Keras network.
        volumes: slices to compare on; masks are not needed.
        artifact: the name that goes into the result.
        max_flip_ppm: passes up to and including this many flipped pixels per million.
        progress: called after each patient; how many there are is not known.

    Raises:
        OptionError: when `max_flip_ppm` is negative or not finite.
        ContractError: when the two contracts feed or threshold differently, so that no comparison is fair.
        DatasetError: when there is no slice.
        ArtifactError: when either side gives no usable logits.
    """
    if not (math.isfinite(max_flip_ppm) and max_flip_ppm >= 0):
        raise OptionError(f"max_flip_ppm is {max_flip_ppm}; flipped pixels per million, 0 or more, are needed")
    _check_contracts(predictor.contract, reference.contract)
    total = _Tally()
    for done, volume in enumerate(volumes, start=1):
        total = _add(total, _compare(predictor, reference, volume))
        if progress:
            progress(done, None, volume.patient)
    if not total.slices:
        raise DatasetError("no slice was given; a comparison needs at least one")
    flips_ppm = 1e6 * total.flips / total.pixels
    return ParityResult(
        artifact=artifact,
        reference=reference.contract.target,
        slices=total.slices,
        max_logit_difference=total.max_difference,
        flipped_pixels=total.flips,
        flips_ppm=flips_ppm,
        worst_slice=total.worst,
        worst_slice_flipped_pixels=total.worst_flips,
        max_flip_ppm=float(max_flip_ppm),
        passed=flips_ppm <= max_flip_ppm,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tally:
    slices: int = 0
    pixels: int = 0
    flips: int = 0
    max_difference: float = 0.0
    worst: str = ""
    worst_flips: int = -1
    worst_difference: float = -1.0


def _compare(predictor: Predictor, reference: Predictor, volume: Volume) -> _Tally:
    if not len(volume.images):
        return _Tally()
    ours, theirs = volume_logits(predictor, volume), volume_logits(reference, volume)
    differences = np.abs(ours.astype(np.float64) - theirs).max(axis=tuple(range(1, ours.ndim)))
    flipped = mask_from_logits(ours, predictor.contract) ^ mask_from_logits(theirs, reference.contract)
    flips = np.count_nonzero(flipped, axis=tuple(range(1, flipped.ndim)))
    worst = max(range(len(flips)), key=lambda index: (flips[index], differences[index]))
    return _Tally(
        slices=len(flips),
        pixels=flipped.size,
        flips=int(flips.sum()),
        max_difference=float(differences.max()),
        worst=slice_label(volume, worst),
        worst_flips=int(flips[worst]),
        worst_difference=float(differences[worst]),
    )


def _add(total: _Tally, part: _Tally) -> _Tally:
    worse = max(total, part, key=lambda tally: (tally.worst_flips, tally.worst_difference))
    return replace(
        worse,
        slices=total.slices + part.slices,
        pixels=total.pixels + part.pixels,
        flips=total.flips + part.flips,
        max_difference=max(total.max_difference, part.max_difference),
    )


def _check_contracts(ours: Contract, theirs: Contract) -> None:
    ours, theirs = (replace(one, regions=without_trust(one.regions)) for one in (ours, theirs))
    for name in _MUST_AGREE:
        mine, other = getattr(ours, name), getattr(theirs, name)
        if mine != other:
            raise ContractError(
                f"{name} is {mine} in the {ours.target} artifact and {other} in the {theirs.target} one; both must "
                "take the same image and threshold alike. Compare artifacts of one build"
            )
