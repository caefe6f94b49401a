"""What the networks hold and compute that `edgeseg variants` lists, counted beforehand: listing them needs no Keras."""

from __future__ import annotations

import functools
from importlib.resources import files

from edgeseg.jsonio import from_plain, parse_json
from edgeseg.results import Census
from edgeseg.specs import VariantSpec

COUNTED_FILE = "counted.json"
"""Written by `python tools/counted.py`, at 256 x 256 x 3; a test holds it to the built networks."""


def counted(spec: VariantSpec) -> Census | None:
    """Return what a network holds and computes for an image of 256 x 256 x 3; None where it was not counted."""
    return None if spec.widths else _table().get(spec.slug)


@functools.cache
def _table() -> dict[str, Census]:
    plain = parse_json(files("edgeseg.variants").joinpath(COUNTED_FILE).read_bytes())
    return {slug: from_plain(Census, one, f"$.{slug}") for slug, one in plain.items()}
