"""What an artifact's golden case gave on this device, drawn for a terminal of 80 columns."""

from __future__ import annotations

from rich.console import RenderableType

from edgeseg.reports.table import pairs
from edgeseg.results import SelfTest


def self_test_table(found: SelfTest) -> RenderableType:
    """Draw the verdict and what it rests on."""
    verdict = "passed" if found.passed else "FAILED"
    rows = (
        ("golden case", f"{verdict}: {found.network or found.artifact} ({found.target})"),
        ("mask", f"{found.flipped_pixels} of {found.pixels} pixels flip, {found.allowed_flips} may"),
        ("tumour pixels", f"{found.tumour_pixels}, {found.expected_tumour_pixels} expected"),
        ("logits", f"off by at most {found.logit_off_max:.2g}, {found.logit_tolerance:.4g} allowed"),
        ("why these limits", found.reason),
        ("here", f"{found.runtime}, {found.threads} threads, {found.numerics}"),
        ("expected from", found.made_with),
        ("int8 kernels", f"{found.int8_kernels} (ONNX Runtime on this host)"),
    )
    return pairs(rows, style="bold")
