"""Running the golden case of a contract on an artifact that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.imaging import mask_from_logits, to_network
from edgeseg.runtime.numerics import int8_kernels
from edgeseg.runtime.self_test import golden_input, golden_mask, in_one, logit_off_max

if TYPE_CHECKING:
    from edgeseg.results import SelfTest
    from edgeseg.runtime.segmenter import Segmenter


def run_self_test(segmenter: Segmenter) -> SelfTest:
    """Draw the golden case, and count what differs; `Segmenter.self_test` has the errors."""
    from edgeseg.results import SelfTest

    contract = segmenter.contract
    expected, image = golden_mask(contract), golden_input(contract)
    case = contract.golden
    assert case is not None
    logits = segmenter.logits(to_network(image, contract))[0]
    mask, logits = in_one(mask_from_logits(logits, contract)), in_one(logits)
    flipped, off = int((mask != expected).sum()), logit_off_max(case, logits)
    return SelfTest(
        artifact=segmenter.path.name,
        target=contract.target,
        runtime=segmenter.runtime,
        numerics=segmenter.numerics,
        threads=segmenter.threads,
        int8_kernels=int8_kernels(),
        made_with=case.made_with,
        pixels=mask.size,
        expected_tumour_pixels=case.tumour_pixels,
        tumour_pixels=int(mask.sum()),
        flipped_pixels=flipped,
        allowed_flips=case.allowed_flips,
        logit_off_max=off,
        logit_tolerance=case.logit_tolerance,
        reason=case.reason,
        passed=flipped <= case.allowed_flips and off <= case.logit_tolerance,
    )
