"""Thresholds so near to 0 or 1 that the logits of probabilities would be infinite, and masks wrong once resampled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeseg.errors import OptionError
from edgeseg.imaging import as_logits, mask_from_logits
from edgeseg.specs import Contract, MaskRegion


@pytest.mark.parametrize("threshold", [1e-16, 5e-324, 1.0 - 2.0**-53])
def test_a_threshold_that_no_logit_can_tell_from_the_end_is_refused(threshold: float, tiny_contract: Contract) -> None:
    with pytest.raises(OptionError, match="threshold is"):
        replace(tiny_contract, threshold=threshold)
    with pytest.raises(OptionError, match="threshold of region 'a'"):
        MaskRegion(name="a", channels=(0,), label=1, threshold=threshold)


@pytest.mark.parametrize("threshold", [1e-15, 1e-9, 1.0 - 1e-15])
def test_any_other_parts_0_from_1_in_finite_logits(threshold: float, tiny_contract: Contract) -> None:
    contract = replace(tiny_contract, output="probabilities", threshold=threshold)
    logits = as_logits(np.array([0.0, 1.0], np.float32), contract)
    assert np.isfinite(logits).all()
    np.testing.assert_array_equal(mask_from_logits(logits, contract), [False, True])
