"""What tests of how far scans and masks are to be believed need: two sites, and what Python is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from class_fixtures import drawn

from edgeseg.data.open_scan import open_scan
from edgeseg.runtime import Segmenter
from edgeseg.runtime.contract import contract_text
from edgeseg.runtime.seal import seal
from edgeseg.specs import Trust
from edgeseg.stages.segment.odd_input import odd_input
from edgeseg.stages.ship import site, write_site
from edgeseg.stages.ship.trust_vectors import TYPICAL

ROOT = Path(__file__).resolve().parents[2]
SURE, DOUBTED = 0.04, -0.9
"""How wide an unsure border is as a rule, in logarithms: by the second one a phantom's mask is to be looked at."""


def write_trust(out: Path, model: Path, paths: dict[str, Path]) -> None:
    """Write `site-sure` and `site-doubted`, and into `trust.json` what each is to tell of the scan of `paths`.

    And `odd`, what the shipped network is to tell of it as it is, and with two sequences exchanged.
    """
    told: dict[str, object] = {}
    for name, usual in (("sure", SURE), ("doubted", DOUBTED)):
        trusting = out / f"{name}.onnx"
        trusting.write_bytes(_with_trust(model, usual))
        with patch.object(site, "phantom_volume", drawn):
            write_site(trusting, out=out / f"site-{name}", page=ROOT / "web" / "dist")
        segmenter = Segmenter.load(trusting)
        with open_scan(sequences=paths) as scan:
            masks, verdict = segmenter.segment_judged(scan)
            row_mm, column_mm = scan.pixel_mm
            volume_ml = float(masks.sum()) * row_mm * column_mm * scan.slice_mm / 1000
        told[name] = {
            "dice_expected": verdict.dice_expected,
            "why": verdict.why,
            "volume_ml": volume_ml,
            "between_ml": verdict.interval(volume_ml),
        }
    exchanged = paths | {"pre": paths["flair"], "flair": paths["pre"]}
    told["odd"] = [_odd(Segmenter.load(model), one) for one in (paths, exchanged)]
    (out / "trust.json").write_text(json.dumps(told, indent=1))


def _odd(segmenter: Segmenter, paths: dict[str, Path]) -> str | None:
    with open_scan(sequences=paths) as scan:
        odd = odd_input(segmenter.oddity(scan), scan.warnings)
    return None if odd is None else odd.told


def _with_trust(model: Path, usual: float) -> bytes:
    border, neighbours = TYPICAL.features
    output = replace(TYPICAL, features=(replace(border, weight=-1.7, typical=usual), neighbours))
    text = contract_text(model)
    contract = replace(Segmenter.load(model).contract, trust=Trust(output=output), seen_patients=()).versioned()
    return seal(model.read_bytes(), text, contract)
