"""Copies screens with 128 colours, a third of their size: `python web/tests/shrink.py FROM INTO`."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

into = Path(sys.argv[2])
into.mkdir(exist_ok=True)
for path in sorted(Path(sys.argv[1]).glob("*.png")):
    Image.open(path).convert("RGB").quantize(128).save(into / path.name, optimize=True)
