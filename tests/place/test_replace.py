"""What a result may take the place of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeseg.errors import OutputError
from edgeseg.place import require_record, require_start

KEYS = frozenset({"trust", "weights_sha256"})
ASKED: dict[str, Callable[[Path], None]] = {
    "record": lambda path: require_record(path, what="a record of trust", keys=KEYS),
    "XML": lambda path: require_start(path, what="JUnit XML", start="<"),
    "Markdown": lambda path: require_start(path, what="Markdown", never="{"),
}
TAKEN = {
    "record": ['{"trust": 1, "weights_sha256": "0", "more": 2}', '{"trust": 1, "weig', "", " \n"],
    "XML": ["<testsuites/>", ' \n<?xml version="1.0"?>', ""],
    "Markdown": ["# Checks\n", "| a |\n", ""],
}
REFUSED = {
    "record": ['{"threshold": 0.5}', "[]", "Patient,Age\n", "\x00\xff\xfe\x89"],
    "XML": ["{}", "# Checks\n", "\x00\xff\xfe\x89"],
    "Markdown": ['{"artifacts": []}', "\x00\xff\xfe\x89"],
}


@pytest.mark.parametrize("kind", ASKED)
def test_a_result_takes_the_place_of_its_own_kind_or_of_nothing(tmp_path: Path, kind: str) -> None:
    ASKED[kind](tmp_path / "absent")
    ASKED[kind](tmp_path)
    for text in TAKEN[kind]:
        (tmp_path / "file").write_bytes(text.encode("latin-1"))
        ASKED[kind](tmp_path / "file")


@pytest.mark.parametrize("kind", ASKED)
def test_and_never_of_weights_tables_or_other_records(tmp_path: Path, kind: str) -> None:
    for text in REFUSED[kind]:
        (tmp_path / "file").write_bytes(text.encode("latin-1"))
        with pytest.raises(OutputError, match=r"cannot write .*file: the file there is not .*; give another name"):
            ASKED[kind](tmp_path / "file")
