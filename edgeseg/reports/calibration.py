"""The page about a study of calibration."""

from __future__ import annotations

from edgeseg.results import CalibrationStudy, Interval


def markdown(result: CalibrationStudy) -> str:
    """Return the page about a study."""
    lines = [
        "# Calibration of int8",
        "",
        f"What int8 ranges rest on, and what that does to Dice: {result.variant} as {result.target}, scored on "
        f"n = {result.patients} patients of {result.data} that training did not see. In float the same weights score "
        f"{_interval(result.float_dice)}; intervals are 95 % bootstraps over patients, seed {result.seed}; "
        f"{result.numerics}; threshold 0.5, no post-processing.",
        "",
        "| calibration data | slices | patients | method | Dice mean [95 %] | delta to float [95 %] |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {p.data} | {p.slices} | {p.patients} | {p.method} | {_interval(p.dice)} | {_interval(p.delta, sign='+')} |"
        for p in result.points
    ]
    lines += ["", f"Written by `{result.command}` on {result.environment.cpu}; weights {result.weights_sha256[:12]}."]
    return "\n".join(lines) + "\n"


def _interval(interval: Interval, sign: str = "") -> str:
    return f"{interval.mean:{sign}.4f} [{interval.low:{sign}.4f}, {interval.high:{sign}.4f}]"
