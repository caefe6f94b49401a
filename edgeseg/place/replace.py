"""Which files a result may take the place of: results of its kind, and nothing else that a wrong path may name."""

from __future__ import annotations

from pathlib import Path

from edgeseg.errors import OutputError
from edgeseg.jsonio import JsonFormatError, decode, parse_json, read_document


def require_record(path: Path, *, what: str, keys: frozenset[str]) -> None:
    """Refuse to write a JSON record over weights, a table, or a record of another kind; a damaged one may be replaced.

    Args:
        path: where it is to go.
        what: what it is called.
        keys: some that every record of this kind has.

    Raises:
        OutputError: when a file stands there that is none, which stays as it is.
    """
    text = _text(path)
    if text is None or (text.strip() and not _is_record(text, keys)):
        _refuse(path, what)


def require_start(path: Path, *, what: str, start: str | None = None, never: str | None = None) -> None:
    """Refuse to write text over a file that begins otherwise than `start`, or as `never`; an empty one is none.

    Raises:
        OutputError: likewise.
    """
    text = _text(path)
    begins = "" if text is None else text.lstrip()[:1]
    if text is None or (begins and ((start is not None and begins != start) or begins == never)):
        _refuse(path, what)


def _text(path: Path) -> str | None:
    """What stands there; nothing for no file, and None for what is no text."""
    if not path.is_file():
        return ""
    try:
        return decode(read_document(path))
    except JsonFormatError:
        return None
    except OSError:  # what writes there says what is wrong
        return ""


def _is_record(text: str, keys: frozenset[str]) -> bool:
    try:
        plain = parse_json(text)
    except JsonFormatError:
        return text.lstrip().startswith("{")
    return isinstance(plain, dict) and keys <= set(plain)


def _refuse(path: Path, what: str) -> None:
    raise OutputError(f"cannot write {path}: the file there is not {what}; give another name, or take it away first")
