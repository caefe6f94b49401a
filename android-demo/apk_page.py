"""Write size and digest of a packed APK into a page, between its markers, for `make apk-page`."""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections import Counter
from pathlib import Path

from check_apk import LIBRARY, part

from edgeseg.artifacts import sha256_file
from edgeseg.errors import EdgeSegError
from edgeseg.reports.table import markdown_table_lines, splice

NOTES = {"onnxruntime": "libonnxruntime.so", "cases": "phantom cases, manifests", "model": "int8 model, float model"}
SMALL = ("its JNI", "notices", "resources")


def main(apk: Path, unsigned: Path, page: Path) -> None:
    """Write the table."""
    sizes: Counter[str] = Counter()
    with zipfile.ZipFile(apk) as archive:
        for info in archive.infolist():
            name = part(info.filename)
            sizes["notices, JNI library, resources" if name in SMALL else NOTES.get(name, name)] += info.compress_size
        unpacked = archive.getinfo(LIBRARY).file_size
    rows = [[name, f"{taken / 1e6:.2f}"] for name, taken in sizes.most_common()]
    for row in rows:
        if row[0] == NOTES["onnxruntime"]:
            row[1] += f" ({unpacked / 1e6:.1f} unpacked)"
    rows.append(["all, signed", f"{apk.stat().st_size / 1e6:.2f}"])
    digest = (
        f"{apk.stat().st_size} bytes with a key made on the spot. "
        f"SHA-256 before it was signed, which is the same with every key:\n"
        f"`{sha256_file(unsigned)}`."
    )
    table = "\n".join(markdown_table_lines(("part", "MB"), rows))
    splice(f"{table}\n\n{digest}", page)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("apk", "unsigned", "page"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    try:
        main(given.apk, given.unsigned, given.page)
    except (EdgeSegError, OSError) as error:
        sys.exit(f"apk_page.py: {error}")
