"""What the names of a volume's slices tell: numbers that are left out or stand twice, and whose slices they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_NUMBERS = re.compile(r"(\d+)")
_TOLD, _REACH = 5, 1.5


def doubts_of(names: Sequence[str]) -> tuple[str, ...]:
    """Say what is odd, one sentence each; nothing where the names do not count the slices.

    Args:
        names: of all slices of a volume, without their endings.
    """
    read = [_read(name, _place(names)) for name in names]
    people = sorted({start for start, _ in read if start})
    told = []
    if missing := _missing([number for _, number in read if number is not None], len(names)):
        told.append(f"slices seem to be missing: there is none with the number {', '.join(map(str, missing))}")
    if len(people) > 1:
        told.append(f"the slices' names speak of {len(people)} patients: {', '.join(people[:_TOLD])}")
    counts = Counter(number for _, number in read if number is not None)
    twice = sorted(number for number, count in counts.items() if count > 1)
    if twice and len(people) < 2:
        told.append(
            f"{len(twice)} numbers stand in the names of several slices ({', '.join(map(str, twice[:_TOLD]))}): "
            "copies, or series that are mixed; leave one slice of each"
        )
    return tuple(told)


def _place(names: Sequence[str]) -> int:
    """Find which number of a name counts: the last that differs where names differ in numbers alone, else the last."""
    parts = [_NUMBERS.split(name) for name in names]
    if len({tuple(part[::2]) for part in parts}) > 1:
        return -1
    varying = [place for place in range(len(parts[0]) // 2) if len({int(part[2 * place + 1]) for part in parts}) > 1]
    return varying[-1] if varying else -1


def _read(name: str, place: int) -> tuple[str, int | None]:
    """Give what stands before the number that counts, and the number."""
    parts = _NUMBERS.split(name)
    if len(parts) < 2:
        return "", None
    at = (place % (len(parts) // 2)) * 2 + 1
    return "".join(parts[:at]).rstrip("_-. "), int(parts[at])


def _missing(numbers: Sequence[int], count: int) -> list[int]:
    """Numbers that are left out, at most five; none where the numbers do not count."""
    known = set(numbers)
    if not known or len(known) < count or max(known) - min(known) >= _REACH * len(known):
        return []
    return [number for number in range(min(known), max(known)) if number not in known][:_TOLD]
