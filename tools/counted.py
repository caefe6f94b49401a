"""Count what the networks of `edgeseg variants` hold and compute, and write `edgeseg/variants/counted.json` anew."""

from __future__ import annotations

import json
from pathlib import Path

from edgeseg import artifacts
from edgeseg.jsonio import to_plain
from edgeseg.stages.listings import listed_specs
from edgeseg.variants import build_model, census
from edgeseg.variants.counted import COUNTED_FILE

PLACE = Path(__file__).resolve().parents[1] / "edgeseg" / "variants" / COUNTED_FILE


def main() -> None:
    """Build each network once."""
    found = {spec.slug: to_plain(census(build_model(spec))) for spec in listed_specs()}
    artifacts.write_text(PLACE, json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
