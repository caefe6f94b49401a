"""Make somebody's network small: python examples/shrink_network.py FILE CONTRACT.toml OUT [DATA].

FILE is Keras, ONNX or a SavedModel, and CONTRACT.toml what `edgeseg import FILE --ask --out DIR` wrote and you
completed. Without DATA the files are scored on phantoms, which says nothing about patients.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import edgeseg
from edgeseg.results import BuildResult


def main(file: Path, contract: Path, out: Path, data: Path | None = None, **options: Any) -> BuildResult:
    """Build both int8 formats, and print what each costs; `options` are further ones of `edgeseg.build`."""
    built = edgeseg.build(file, target=("tflite-int8", "onnx-int8"), out=out, data=data, contract=contract, **options)
    for row in built.artifacts:
        flipped = "" if row.parity is None else f", {row.parity.flips_ppm:.0f} pixels in a million flipped"
        print(f"{row.target}: {row.size_bytes / 1e3:.0f} kB, {row.status}{flipped}")
    if built.main is not None:
        print(f"ship {built.main.path}")
    return built


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
