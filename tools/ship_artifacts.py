"""Convert the networks in `models/` into the files that ship, or see whether those that are there are the ones.

    python tools/ship_artifacts.py                 every network whose weights, ranges or choice have changed
    python tools/ship_artifacts.py --all           every network
    python tools/ship_artifacts.py --check micro   convert it again into a scratch folder: every byte must be the same,
                                                   or on a processor of another make all but the last bits

A network that ships without its weights is passed over, and named: nothing of it can be converted here. So is one that
ships as weights alone.

It is what `make ship-artifacts` and `make check-artifacts` run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeseg import networks
from edgeseg.errors import EdgeSegError
from edgeseg.place import scratch
from edgeseg.results import NetworkFile
from edgeseg.stages.ship import convert_shipped, files_are_stale, kept_targets, network_file, write_files
from edgeseg.stages.ship.alike import rounded_alike

MOST_BYTES, MOST_FILE_BYTES = 12 << 20, 5 << 20
"""All that ships in models/, and one file of it."""


def main() -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks; every one that ships unless given")
    parser.add_argument("--all", action="store_true", help="also those whose inputs have not changed")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a byte would change")
    given = parser.parse_args()
    try:
        chosen = [networks.get(name) for name in given.names] or [one for one in networks.every() if not one.own]
        return _check(chosen) if given.check else _write(chosen, everything=given.all or bool(given.names))
    except EdgeSegError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _write(chosen: list[networks.Network], *, everything: bool) -> int:
    for network in chosen:
        if _passed_over(network):
            continue
        if everything or files_are_stale(network):
            made = write_files(network, say=_say)
            print(f"{network.name}: " + ", ".join(f"{one.target} {one.size_bytes:,} bytes" for one in made.files))
        else:
            print(f"{network.name}: unchanged")
    return _sizes()


def _check(chosen: list[networks.Network]) -> int:
    failed = 0
    for network in chosen:
        if _passed_over(network):
            continue
        kept = network.files()
        with scratch("artifacts") as folder:
            targets = kept_targets(network)
            paths = convert_shipped(targets, network, folder, say=_say)
            made = tuple(network_file(target, path) for target, path in zip(targets, paths, strict=True))
            told = "DIFFERS; run: make ship-artifacts"
            if kept is not None and not files_are_stale(network):
                told = _same(network, kept.files, made, paths) or told
        print(f"{network.name}: {told}")
        failed += told.startswith("DIFFERS")
    return 1 if failed else _sizes()


def _same(
    network: networks.Network, kept: Sequence[NetworkFile], made: Sequence[NetworkFile], paths: Sequence[Path]
) -> str:
    """Say that files are the same; empty where they are not."""
    if tuple(kept) == tuple(made):
        return "the same, byte for byte"
    alike = [one.file for one in kept] == [one.file for one in made] and all(
        rounded_alike(path, network.folder / path.name) for path in paths
    )
    return "the same but for last bits: this processor rounds 1 / sqrt(x) otherwise" if alike else ""


def _passed_over(network: networks.Network) -> bool:
    """Say so where a network has no weights, or ships as weights alone."""
    alone = network.record.for_comparison and network.files() is None
    if not network.has_weights:
        print(
            f"{network.name}: passed over, it ships without weights; its files are held to their digests by the tests"
        )
    elif alone:
        print(f"{network.name}: passed over, it ships as weights alone, to be built and compared")
    return alone or not network.has_weights


def _sizes() -> int:
    files = [path for one in networks.every() if not one.own for path in one.folder.iterdir() if path.is_file()]
    sizes = {path: path.stat().st_size for path in files}
    large = [path for path, size in sizes.items() if size > MOST_FILE_BYTES]
    whole = sum(sizes.values())
    print(f"models/: {whole / 2**20:.1f} MiB in {len(files)} files; the most is {MOST_BYTES >> 20} MiB")
    for path in large:
        print(f"error: {path} has more than {MOST_FILE_BYTES >> 20} MiB", file=sys.stderr)
    return 1 if large or whole > MOST_BYTES else 0


def _say(text: str) -> None:
    print(f"converting {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
