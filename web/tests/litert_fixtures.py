"""What tests of a page with LiteRT.js need: its site, and the masks that the runner draws with Python's LiteRT."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import numpy as np
from class_fixtures import SEED, SHOWN, drawn, quick_png
from PIL import Image

from edgeseg.data.open_scan import open_scan
from edgeseg.runtime import Segmenter
from edgeseg.stages.ship import site, write_site

ROOT = Path(__file__).resolve().parents[2]
TFLITE = ROOT / "models" / "light" / "tflite-int8.tflite"
GOLDEN = ROOT / "tests" / "golden"


def write_litert(out: Path, paths: dict[str, Path]) -> None:
    """Write `site-litert`, and `litert-NAME.mask` of its first example, of the scan of `paths` and of tests/golden."""
    with patch.object(site, "phantom_volume", drawn), patch.object(site, "png", quick_png):
        write_site(TFLITE, out=out / "site-litert", page=ROOT / "web" / "dist")
    segmenter = Segmenter.load(TFLITE)
    with open_scan(sequences=paths) as scan:
        found = {"nifti": segmenter.segment(scan)}
    found["example"] = segmenter.segment_volume(drawn(SHOWN, seed=SEED).images)
    slices = [np.asarray(Image.open(path)) for path in sorted(GOLDEN.glob("*.png"))]
    found["golden"] = segmenter.segment_volume(np.stack(slices))
    for name, masks in found.items():
        (out / f"litert-{name}.mask").write_bytes(masks.astype(np.uint8).tobytes())
