"""Reading flatbuffers by field number: where a table's fields, vectors and strings stand in the bytes.

Tables are named by their place in the bytes, fields by their number in the schema.
"""

from __future__ import annotations

import struct


def field(data: bytes, table: int, slot: int) -> int | None:
    """Return where a field of a table stands, None where it is absent."""
    vtable = table - i32(data, table)
    place = 4 + 2 * slot
    offset = u16(data, vtable + place) if place < u16(data, vtable) else 0
    return table + offset if offset else None


def child(data: bytes, table: int, slot: int) -> int | None:
    """Return the table that a field refers to, None where it is absent."""
    place = field(data, table, slot)
    return None if place is None else follow(data, place)


def elements(data: bytes, table: int, slot: int) -> list[int]:
    """Return the tables, or the strings, of a vector field."""
    vector = child(data, table, slot)
    if vector is None:
        return []
    return [follow(data, vector + 4 + 4 * index) for index in range(u32(data, vector))]


def longs(data: bytes, table: int, slot: int) -> tuple[int, ...]:
    """Return the numbers of a field that is a vector of int64."""
    vector = child(data, table, slot)
    return () if vector is None else struct.unpack_from(f"<{u32(data, vector)}q", data, vector + 4)


def length(data: bytes, table: int, slot: int) -> int:
    """Return how many elements a vector field has; bytes, for one of bytes."""
    vector = child(data, table, slot)
    return 0 if vector is None else u32(data, vector)


def text(data: bytes, table: int, slot: int = 0) -> str:
    """Return the string in a field, empty where it is absent."""
    place = child(data, table, slot)
    return "" if place is None else string(data, place)


def string(data: bytes, place: int) -> str:
    """Return a string."""
    return data[place + 4 : place + 4 + u32(data, place)].decode()


def scalar(data: bytes, table: int, slot: int, size: int) -> int:
    """Return a whole number of `size` bytes that is not negative; 0, the default, where it is absent."""
    place = field(data, table, slot)
    return 0 if place is None else int.from_bytes(data[place : place + size], "little")


def follow(data: bytes, place: int) -> int:
    """Return where an offset leads."""
    return place + u32(data, place)


def u16(data: bytes, place: int) -> int:
    """Read 16 bits."""
    return int(struct.unpack_from("<H", data, place)[0])


def u32(data: bytes, place: int) -> int:
    """Read 32 bits."""
    return int(struct.unpack_from("<I", data, place)[0])


def i32(data: bytes, place: int) -> int:
    """Read 32 bits with a sign."""
    return int(struct.unpack_from("<i", data, place)[0])
