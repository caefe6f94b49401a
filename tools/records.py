"""Write the records in `models/` anew, as `edgeseg choose`, `trust` and `ship` write them: equal values, fewer bytes.

    python tools/records.py            write those that are laid out otherwise
    python tools/records.py --check    write nothing; fail where a byte would change

Run it after a change of `edgeseg.jsonio.to_record`. No network is converted and no digest changes, since digests are of
what a record says (`edgeseg.jsonio.spelled_out`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from edgeseg import artifacts, networks
from edgeseg.jsonio import parse_json, read_document, to_record

NOT_IN_A_CARD = {"initial": None, "parts": []}
"""Of a card's header: what the weights beside it say, see `edgeseg.stages.ship.card.ModelCard`."""


def main() -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a byte would change")
    given = parser.parse_args()
    before = after = changed = 0
    for path, text in records():
        was = path.read_bytes()
        before, after, changed = before + len(was), after + len(text.encode()), changed + (text.encode() != was)
        if not given.check:
            artifacts.write_text(path, text)
    print(f"{changed} records differ; {before:,} bytes, {after:,} as they are written now")
    return 1 if given.check and changed else 0


def records() -> Iterator[tuple[Path, str]]:
    """Give each record of the networks that ship, and its text as it is written now."""
    for network in networks.every():
        for path in () if network.own else sorted(network.folder.glob("*.json")):
            told = parse_json(read_document(path))
            if path.name == networks.CARD_FILE:
                told["header"] |= NOT_IN_A_CARD
            yield path, to_record(told)


if __name__ == "__main__":
    sys.exit(main())
