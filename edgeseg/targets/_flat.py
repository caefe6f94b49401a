"""Tables of a flatbuffer by field number, read by `flatbuffers`, for formats whose schema no package brings."""

from __future__ import annotations

from flatbuffers import number_types
from flatbuffers.encode import Get
from flatbuffers.table import Table as _Table

_UNSIGNED = {1: number_types.Uint8Flags, 4: number_types.Uint32Flags, 8: number_types.Uint64Flags}


class Table:
    """One table: `place` is where it stands in `data`. Fields are named by their number in the schema."""

    def __init__(self, data: bytes, place: int) -> None:
        self.data, self.place = data, place
        self._table = _Table(data, place)

    @classmethod
    def root(cls, data: bytes) -> Table:
        """Return the table that a file begins with."""
        return cls(data, int(Get(number_types.UOffsetTFlags.packer_type, data, 0)))

    @property
    def vtable(self) -> int:
        """Where the list of the table's fields stands."""
        return self.place - int(self._table.Get(number_types.SOffsetTFlags, self.place))

    def field(self, slot: int) -> int | None:
        """Return where a field stands, None where it is absent."""
        offset = int(self._table.Offset(4 + 2 * slot))
        return self.place + offset if offset else None

    def child(self, slot: int) -> Table | None:
        """Return the table that a field refers to, None where it is absent."""
        place = self.field(slot)
        return None if place is None else Table(self.data, int(self._table.Indirect(place)))

    def tables(self, slot: int) -> list[Table]:
        """Return the tables of a vector field."""
        return [Table(self.data, int(self._table.Indirect(place))) for place in self._places(slot, 4)]

    def texts(self, slot: int) -> list[str]:
        """Return the strings of a vector field."""
        return [self._text(place) for place in self._places(slot, 4)]

    def longs(self, slot: int) -> tuple[int, ...]:
        """Return the numbers of a field that is a vector of int64."""
        return tuple(int(self._table.Get(number_types.Int64Flags, place)) for place in self._places(slot, 8))

    def length(self, slot: int) -> int:
        """Return how many elements a vector field has; bytes, for one of bytes."""
        place = self.field(slot)
        return 0 if place is None else int(self._table.VectorLen(place - self.place))

    def text(self, slot: int = 0) -> str:
        """Return the string in a field, empty where it is absent."""
        place = self.field(slot)
        return "" if place is None else self._text(place)

    def scalar(self, slot: int, size: int) -> int:
        """Return a whole number of `size` bytes that is not negative; 0, the default, where it is absent."""
        place = self.field(slot)
        return 0 if place is None else int(self._table.Get(_UNSIGNED[size], place))

    def _places(self, slot: int, size: int) -> range:
        count = self.length(slot)
        place = self.field(slot)
        first = 0 if place is None else int(self._table.Vector(place - self.place))
        return range(first, first + size * count, size)

    def _text(self, place: int) -> str:
        return bytes(self._table.String(place)).decode()
