"""Count and time every variant at its default width with untrained weights, which decide nothing about latency."""

from __future__ import annotations

import argparse
import sys

from edgeseg.reports.table import markdown_row, markdown_table_lines
from edgeseg.results import NetworkTiming
from edgeseg.stages.build import time_network
from edgeseg.stages.environment import environment
from edgeseg.variants import VARIANTS

HEAD = ("variant", "parameters", "G MACs", "p50 ms", "p95 ms", "n", "threads", "load before", "runtime")


def main() -> None:
    """Print a Markdown table on stdout, and what is being done on stderr."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help=f"of {', '.join(VARIANTS)}; all unless given")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--budget-s", type=float, default=20.0, help="seconds of counted runs per variant, at most")
    options = parser.parse_args()
    if unknown := sorted(set(options.variants) - set(VARIANTS)):
        parser.error(f"unknown variant '{unknown[0]}'; choose of: {', '.join(VARIANTS)}")
    here = environment()
    print(f"{here.cpu}, {here.cores} cores, {here.os}\n")
    print("\n".join(markdown_table_lines(HEAD, ())), flush=True)
    for name in options.variants or VARIANTS:
        found = time_network(VARIANTS[name].default, threads=options.threads, budget_s=options.budget_s, say=_announce)
        print(markdown_row(_row(found)), flush=True)


def _announce(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _row(found: NetworkTiming) -> tuple[str, ...]:
    latency = found.latency
    return (
        found.variant,
        f"{found.parameters:,}",
        f"{found.macs / 1e9:.2f}",
        f"{latency.latency_ms_p50:.1f}",
        f"{latency.latency_ms_p95:.1f}",
        str(latency.runs),
        str(latency.threads),
        "unknown" if found.load_average is None else f"{found.load_average:g}",
        latency.runtime,
    )


if __name__ == "__main__":
    main()
