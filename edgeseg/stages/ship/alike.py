"""Whether two conversions of a network differ by no more than how a processor rounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeseg.data.phantom import phantom_volume
from edgeseg.imaging import to_network
from edgeseg.runtime import Segmenter
from edgeseg.stages.build import EVALUATION_START

_SLICES = 4
_CODES, _LOGITS = 1.5, 1e-3
"""How far logits may be apart: in codes where they are codes, else as they are."""


def rounded_alike(made: Path, kept: Path) -> bool:
    """Whether files have one size, one contract and on phantoms nearly the same logits.

    TensorFlow folds a batch normalisation with the processor's own approximation of `1 / sqrt(x)`, of which makers
    differ in the last bit, and with it the scales of weights.

    Raises:
        EdgeSegError: when one of them cannot be run.
    """
    if made.stat().st_size != kept.stat().st_size:
        return False
    ours, theirs = Segmenter.load(made), Segmenter.load(kept)
    said = [replace(one.contract, content_sha256=None, contract_sha256=None) for one in (ours, theirs)]
    if said[0] != said[1]:
        return False
    volume = phantom_volume(EVALUATION_START, seed=0)
    middle = int(volume.reference.sum(axis=(1, 2)).argmax())
    images = to_network(volume.images[max(0, middle - _SLICES) : middle], ours.contract, volume.channels)
    apart = float(np.abs(ours.logits(images) - theirs.logits(images)).max())
    return apart <= (_LOGITS if ours.logit_step is None else _CODES * ours.logit_step)
