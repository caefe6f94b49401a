"""Places that edgeseg writes to: what is full or forbidden, the cache, scratch, and who writes where."""

from __future__ import annotations

from edgeseg.place.blame import write_error
from edgeseg.place.cache import CACHE_VARIABLE, CacheEntry, cache_dir, cache_entries, clear_cache
from edgeseg.place.claim import STAGING, claimed, held, holding_out, sweep, turn
from edgeseg.place.scratch import scratch

__all__ = [
    "CACHE_VARIABLE",
    "STAGING",
    "CacheEntry",
    "cache_dir",
    "cache_entries",
    "claimed",
    "clear_cache",
    "held",
    "holding_out",
    "scratch",
    "sweep",
    "turn",
    "write_error",
]
