"""How whatever takes long tells how far it is; what draws a bar or prints a line of it is up to the caller."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int | None, str], None]
"""Called with how many are done, how many there are (None where that cannot be known), and what was just done."""

Say = Callable[[str], None]
"""Called with a line before each step, where steps are not alike and so are not counted."""
