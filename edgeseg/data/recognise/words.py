"""Take a description apart into words: at all that is no letter or digit, at digits, and at changes of case.

`t` and a digit after it are one word (`t1`, `t2`), and so are known words with digits in them (`mp2rage`). A run of
letters that is no known word and consists of known ones, as `flairpost` or `axialgado`, is taken apart into these.
Signs of contrast agents (`+c`, `c+`, `c-`, `w/o`) become words; subject, session and space of BIDS names are left out,
and so is what says before or after an operation.
"""

from __future__ import annotations

import functools
import re

from edgeseg.data.recognise.scripts import in_latin
from edgeseg.data.recognise.table import FLAIR, KNOWN, T1, T2

_SIGNS = (
    (re.compile(r"^sub-?[a-z0-9]+(?=_|$)|^sub_?\d+|(?<![a-z])(ses|space)-[a-z0-9]+", re.IGNORECASE), " "),
    (re.compile(r"(?<![a-z])(post|pre)[\s_-]*(op|surg|rt|radio|chemo|treat)[a-z]*", re.IGNORECASE), " "),
    (re.compile(r"\bw\s*/\s*o\b|\bs\s*/\s*c\b", re.IGNORECASE), " without contrast "),
    (re.compile(r"\bc\s*/\s*c\b", re.IGNORECASE), " with contrast "),
    (re.compile(r"\bw\s*/\s*", re.IGNORECASE), " with "),
    (re.compile(r"(?<![A-Za-z])t2\s*\*", re.IGNORECASE), " t2star "),
    (re.compile(r"\+\s*(c|gd|gad|gado|km|iv|inj|contrast)(?![a-z])", re.IGNORECASE), " with contrast "),
    (re.compile(r"(?<![A-Za-z])(c|gd|gad|gado|km|iv|inj)\s*\+", re.IGNORECASE), " with contrast "),
    (re.compile(r"(?<![A-Za-z])(c|gd|gad|gado|km|iv)-(?=\s|$|[)\]_])", re.IGNORECASE), " without contrast "),
)
_PIECE = re.compile(r"[A-Za-z]+|\d+")
_CASE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]")
_MIN_PART = 2


def words_of(text: str) -> tuple[str, ...]:
    """Give the words of a description in their order, lower case and without accents; digits that stand alone too."""
    plain = in_latin(text).encode("ascii", "ignore").decode()
    for sign, said in _SIGNS:
        plain = sign.sub(said, plain)
    found: list[str] = []
    for run in re.findall(r"[A-Za-z0-9]+", plain):
        if run.lower() in KNOWN:
            found.append(run.lower())
            continue
        found += _joined([word for piece in _PIECE.findall(run) for word in _letters(piece)])
    return tuple(found)


def names_sequence(text: str) -> bool:
    """Whether a word of a name says which weighting a series has."""
    return any(word in FLAIR | T1 | T2 for word in words_of(text))


def _letters(piece: str) -> list[str]:
    """Take one run of letters, or of digits, apart."""
    low = piece.lower()
    if piece.isdigit() or low in KNOWN or (whole := _split(low)) is None:
        if not piece.isdigit() and low not in KNOWN and len(humps := _CASE.findall(piece)) > 1:
            return [word for hump in humps for word in (_split(hump.lower()) or [hump.lower()])]
        return [low]
    return list(whole)


@functools.lru_cache(maxsize=4096)
def _split(word: str) -> tuple[str, ...] | None:
    """Split a word into known words of two letters and more, the longest first; None where it does not come out."""
    if word in KNOWN:
        return (word,)
    for end in range(len(word) - _MIN_PART, _MIN_PART - 1, -1):
        if word[:end] in KNOWN and (rest := _split(word[end:])) is not None:
            return (word[:end], *rest)
    return None


def _joined(parts: list[str]) -> list[str]:
    """Join `t` and `1`, `axt` and `2`, `mp`, `2` and `rage`, `3` and `d`."""
    found: list[str] = []
    for part in parts:
        if found and part[:1] in ("1", "2") and found[-1].endswith("t"):
            head = found.pop()[:-1]
            found += [*(_split(head) or ([head] if head else [])), f"t{part[:1]}", *([part[1:]] if part[1:] else [])]
        elif found and f"{found[-1]}{part}" in KNOWN:
            found.append(found.pop() + part)
        elif len(found) > 1 and f"{found[-2]}{found[-1]}{part}" in KNOWN:
            found[-2:] = [f"{found[-2]}{found[-1]}{part}"]
        else:
            found.append(part)
    return found
