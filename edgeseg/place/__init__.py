"""Places that edgeseg writes to: what is full or forbidden, the cache, scratch, and who writes where."""

from __future__ import annotations

from edgeseg.place.blame import describe, write_error
from edgeseg.place.cache import CACHE_VARIABLE, cache_dir, cache_entries, cache_place, clear_cache
from edgeseg.place.claim import STAGING, claimed, held, holding_out, sweep, turn
from edgeseg.place.scratch import scratch

__all__ = [
    "CACHE_VARIABLE",
    "STAGING",
    "cache_dir",
    "cache_entries",
    "cache_place",
    "claimed",
    "clear_cache",
    "describe",
    "held",
    "holding_out",
    "scratch",
    "sweep",
    "turn",
    "write_error",
]
