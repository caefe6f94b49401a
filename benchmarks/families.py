"""The four families at one width, side by side: what each scores, and what int8 and half of its channels' work cost it.

Reads what `edgeseg build` and `edgeseg compress --channel-prune` left; needs neither data nor weights.

    python benchmarks/families.py build-vanilla build-batchnorm ... --pruned pruned-vanilla ... --into PAGE
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from edgeseg.artifacts import read_build
from edgeseg.errors import ArtifactError, EdgeSegError
from edgeseg.jsonio import JsonFormatError, from_json
from edgeseg.reports.table import markdown_table_lines, splice
from edgeseg.reports.words import ABSENT, interval_text, size_text
from edgeseg.results import REFERENCE, ArtifactRow, CompressResult

COSTS = (
    "network", "parameters", "G MACs", "file", "size", "Dice mean [95 %]", "median", "against float [95 %]",
    "pixels flipped in a million",
)  # fmt: skip
PRUNED = ("network", "parameters", "G MACs", "Dice mean", "parameters left", "G MACs left", "Dice mean then")


def main() -> None:
    """Print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "builds", nargs="+", type=Path, help="folders of builds, one network each, called as the table is to call them"
    )
    parser.add_argument("--pruned", nargs="*", type=Path, default=[], help="runs of edgeseg compress --channel-prune")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put the tables between the marks of a Markdown file")
    options = parser.parse_args()
    try:
        costs = markdown_table_lines(COSTS, [row for path in options.builds for row in _costs(path)])
        pruned = markdown_table_lines(PRUNED, [_pruned(path) for path in options.pruned])
        tables = "\n".join((*costs, "", *(pruned if options.pruned else ())))
        if options.into is not None:
            splice(tables, options.into)
    except EdgeSegError as error:
        sys.exit(f"error: {error}")
    print(tables)


def _costs(build: Path) -> Iterator[tuple[str, ...]]:
    for row in read_build(build).artifacts:
        first = row.target == REFERENCE
        yield (
            f"{build.name} ({row.variant})" if first else "",
            f"{row.parameters:,}" if first else "",
            f"{row.macs / 1e9:.2f}" if first else "",
            f"`{row.target}`",
            size_text(row.size_bytes),
            ABSENT if row.evaluation is None else interval_text(row.evaluation.dice, mark=" "),
            ABSENT if row.evaluation is None else f"{row.evaluation.dice_median:.3f}",
            "" if first else interval_text(row.dice_delta_to_float, signed=True),
            "" if first else _flipped(row),
        )


def _flipped(row: ArtifactRow) -> str:
    return ABSENT if row.parity is None else f"{row.parity.flips_ppm:,.0f}"


def _pruned(run: Path) -> tuple[str, ...]:
    path = run / "compress.json"
    try:
        found = from_json(CompressResult, path.read_bytes())
    except (OSError, JsonFormatError) as error:
        raise ArtifactError(f"{path}: not what 'edgeseg compress' leaves ({error})") from error
    left = found.steps[-1].size
    before = (found.given.variant, *(_size(found.given.parameters, found.given.macs, found.given.dice_mean)))
    return *before, *_size(left.parameters, left.macs, left.dice_mean)


def _size(parameters: int, macs: int, dice: float) -> tuple[str, str, str]:
    return f"{parameters:,}", f"{macs / 1e9:.2f}", f"{dice:.3f}"


if __name__ == "__main__":
    main()
