"""Sizes, ratios, latencies and intervals as every report writes them."""

from __future__ import annotations

from edgeseg.results import ClinicalChange, Interval, LatencyResult

ABSENT = "\N{EN DASH}"
"""Stands where there is no figure."""
ABSENT_ASCII = "-"
"""The same in those tables that hold ASCII only."""


def size_text(size_bytes: int) -> str:
    """Write a size in kB or MB (powers of 1000)."""
    if size_bytes <= 0:
        return ABSENT
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 999_500 else f"{size_bytes / 1e3:.0f} kB"


def macs_text(macs: int) -> str:
    """Write multiply-accumulates of a slice in M, or in G from 1,000 M."""
    if macs >= 999_500_000:
        return f"{macs / 1e9:.2f} G"
    return f"{macs / 1e6:.0f} M" if macs >= 9_950_000 else f"{macs / 1e6:.2g} M"


def times_text(times: float | None) -> str:
    """Write a ratio: one decimal below 10, none above."""
    if times is None:
        return ABSENT
    return f"{times:.1f}" if times < 9.95 else f"{times:.0f}"


def latency_text(latency: LatencyResult | None) -> str:
    """Write `p50 / p95` in milliseconds, without decimals from 100 ms."""
    if latency is None:
        return ABSENT
    return f"{milliseconds_text(latency.latency_ms_p50)} / {milliseconds_text(latency.latency_ms_p95)}"


def interval_text(interval: Interval | None, *, signed: bool = False, mark: str = " ", digits: int = 3) -> str:
    """Write `mean [low, high]` with that many decimals; `mark` stands between mean and bracket."""
    if interval is None:
        return ABSENT
    form = f"{'+' if signed else ''}.{digits}f"
    return f"{interval.mean:{form}}{mark}[{interval.low:{form}}, {interval.high:{form}}]"


def milliseconds_text(milliseconds: float) -> str:
    """Write milliseconds: one decimal below 100, none above."""
    return f"{milliseconds:.1f}" if milliseconds < 99.95 else f"{milliseconds:.0f}"


def describe_change(change: ClinicalChange) -> str:
    """Say it in one sentence, without a full stop."""
    return (
        f"at worst {change.worst_patient} {change.worst_dice_before:.3f} -> {change.worst_dice_after:.3f}; of "
        f"{change.patients} patients {change.patients_lower} lose and {change.patients_higher} gain more than "
        f"{change.notable_dice:g} Dice; lesions found {change.lesions_found_before} -> {change.lesions_found_after} of "
        f"{change.lesions}; tumour-free slices marked {change.false_positive_slices_before} -> "
        f"{change.false_positive_slices_after} of {change.tumour_free_slices}"
    )
