"""How far a scan and its mask are to be trusted, by what the contract carries of that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.scan import Scan
from edgeseg.imaging import framed, framed_size, to_network
from edgeseg.runtime.turned import turned
from edgeseg.specs import Contract
from edgeseg.trust import (
    InputTally,
    Oddity,
    OutputTally,
    RegionTally,
    Verdict,
    input_oddity,
    joined,
    judge,
    slices_looked_at,
)

Tally = OutputTally | RegionTally
"""What counts the logits of a network of one mask, or of several."""


def on_grid(contract: Contract, scan: Scan, index: int) -> NDArray[np.uint8]:
    """Return a slice of a scan as the network sees it, `(1, H, W, C) uint8`.

    Raises:
        DataError: when it cannot be read.
    """
    image = scan.image(index)
    size = framed_size((image.shape[0], image.shape[1]), contract, scan.pixel_mm)
    return to_network(framed(image, size)[np.newaxis], contract, scan.channels)


def tally_for(contract: Contract, scan: Scan) -> Tally | None:
    """Begin to count a scan's logits; None where nothing is to be told of its masks."""
    return new_tally(contract) if scan.volume else None


def new_tally(contract: Contract) -> Tally | None:
    """Begin to count a volume's logits; None where the contract tells nothing of its masks."""
    levels = [None if output is None else output.levels for output in contract.output_trusts]
    known = [one for one in levels if one is not None]
    if not known:
        return None
    return RegionTally(levels) if contract.regions else OutputTally(known[0])


def mask_verdicts(contract: Contract, tally: Tally | None) -> tuple[Verdict | None, ...]:
    """Say of each of the contract's masks what the counts of a whole scan mean; None where nothing was counted."""
    if tally is None:
        return (None,) * len(contract.masks)
    counts = tally.counts if isinstance(tally, RegionTally) else (tally.counts,)
    return tuple(
        None if one is None or output is None else judge(one, output)
        for one, output in zip(counts, contract.output_trusts, strict=True)
    )


def verdict_on(contract: Contract, tally: Tally | None) -> Verdict | None:
    """Say what the counts of a whole scan mean, of several masks together; None where nothing was counted."""
    told = mask_verdicts(contract, tally)
    if not contract.regions:
        return told[0]
    return joined(zip((region.name for region in contract.regions), told, strict=True))


def oddity_of(contract: Contract, scan: Scan, seen: InputTally | None = None) -> Oddity | None:
    """Say whether a scan is unlike what the network learned from, and what is odd about it.

    Args:
        contract: of the network.
        scan: as `Segmenter.segment_scan` takes it.
        seen: what was counted on its slices; some of them are read unless given.

    Returns:
        What is odd; None where nothing is. Of slices that are no volume, and where the contract has no `trust.input`,
        only a channel without any picture, and two that hold the same one.

    Raises:
        DataError: when a slice cannot be read, or a volume not be seen in the network's plane.
    """
    if seen is None:
        seen, shown = InputTally(len(contract.channels)), turned(scan, contract.plane)
        for index in slices_looked_at(len(shown.slice_names)):
            seen.add(on_grid(contract, shown, index)[0])
    look = None if contract.trust is None or not scan.volume else contract.trust.input
    return input_oddity(seen, look, contract.channels)
