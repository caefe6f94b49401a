"""What a patient's masks were made from: the input files and the options, as digests."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from edgeseg import __version__
from edgeseg.artifacts import sha256_file
from edgeseg.specs import RunOptions
from edgeseg.stages.segment.summary import SUMMARY_FILE


def inputs_digest(paths: Iterable[Path], *, without: Path) -> str:
    """Return 32 hex digits over place, size and times of files and of all visible files below folders; none is read.

    A file that is written anew has another digest, also under its old name, size and time of change, for the system
    sets the time at which its entry changed. `without` is the folder of the results, where it lies among the files.
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(b"\1" + os.fsencode(path.absolute()))
        for file in _files(path, without.resolve()):
            stat = file.stat()
            times = f"{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}"
            digest.update(b"\2" + os.fsencode(file.resolve()) + b"\0" + times.encode())
    return digest.hexdigest()[:32]


def place_digest(source: str) -> str:
    """Return 32 hex digits over the folder that a scan was given as, or lies in."""
    path = Path(source).resolve()
    return hashlib.sha256(os.fsencode(path if path.is_dir() else path.parent)).hexdigest()[:32]


def options_digest(options: RunOptions) -> str:
    """Return 32 hex digits over what decides the masks beside inputs and model: options, contract, edgeseg itself."""
    plain = replace(options, sequences={}, salt=None, contract=None, untrusted=False, de_identify=False)
    contract = sha256_file(options.contract) if options.contract is not None else None
    named = sorted(options.sequences)
    hidden = ("de-identified",) if options.de_identify else ()
    whole = repr((plain, contract, named, __version__, *hidden))
    return hashlib.sha256(whole.encode(errors="backslashreplace")).hexdigest()[:32]


def _files(path: Path, without: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.exists() else []
    found = []
    for folder, below, names in os.walk(path.resolve()):
        here = Path(folder)
        below[:] = sorted(name for name in below if not name.startswith(".") and here / name != without)
        shown = (name for name in sorted(names) if not name.startswith("."))
        found += [here / name for name in shown if here != without or name != SUMMARY_FILE]
    return [file for file in found if file.is_file()]
