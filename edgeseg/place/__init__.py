"""Places that edgeseg writes to: what is full or forbidden, the cache, scratch, and who writes where."""

from __future__ import annotations

from edgeseg.place.blame import describe, write_error
from edgeseg.place.cache import CACHE_VARIABLE, cache_dir, cache_entries, cache_place, clear_cache
from edgeseg.place.claim import claimed, holding_out, staging, sweep, turn
from edgeseg.place.data_home import DATA_VARIABLE, data_place
from edgeseg.place.patient_key import KEY_VARIABLE, key_for, key_place, keys_for, known_keys, missing_keys
from edgeseg.place.private import private_folder
from edgeseg.place.replace import require_record, require_start
from edgeseg.place.salt import read_salt
from edgeseg.place.scratch import scratch, scratch_file, write_scratch
from edgeseg.place.secret import make_secret, read_secret

__all__ = [
    "CACHE_VARIABLE",
    "DATA_VARIABLE",
    "KEY_VARIABLE",
    "cache_dir",
    "cache_entries",
    "cache_place",
    "claimed",
    "clear_cache",
    "data_place",
    "describe",
    "holding_out",
    "key_for",
    "key_place",
    "keys_for",
    "known_keys",
    "make_secret",
    "missing_keys",
    "private_folder",
    "read_salt",
    "read_secret",
    "require_record",
    "require_start",
    "scratch",
    "scratch_file",
    "staging",
    "sweep",
    "turn",
    "write_error",
    "write_scratch",
]
