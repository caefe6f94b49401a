"""The one way out to the terminal: what comes from outside can neither command it nor be taken for markup.

Plain text passes `_Plain`, which shows control characters as `edgeseg.reports.escape` does. What rich draws passes
`console`, whose texts are treated likewise, and then `_Styled`, which lets through the styles and cursor moves that
rich itself adds.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any, TextIO

from edgeseg.reports.escape import UNSAFE, escaped, visible

if TYPE_CHECKING:
    from rich.console import Console

_NOT_OF_RICH = re.compile(rf"(\x1b\[(?:[0-9;]*m|\?25[lh]|[0-9]*[ABCDGJK])|\r)|[{UNSAFE}]")


def console(*, stderr: bool = False) -> Console:
    """Make a rich console that takes no text for markup, and shows what could command a terminal."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Plain(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for one in super().render(renderable, options):
                yield one if one.control else Segment(visible(one.text), one.style)

        @property
        def file(self) -> IO[str]:
            """Where rich writes; a bar puts a proxy of its own before `_Plain`, and both are passed."""
            file = super().file
            while (behind := getattr(file, "rich_proxied_file", None)) is not None:
                file = behind
            return file

        @file.setter
        def file(self, new: IO[str]) -> None:
            self._file = new

    return Plain(stderr=stderr, markup=False, emoji=False, highlight=False)


class _Stream(io.TextIOBase):
    """A text stream whose writes are made safe; all else is that of the stream behind it."""

    def __init__(self, behind: TextIO) -> None:
        self._behind = behind

    def safe(self, text: str) -> str:
        return visible(text)

    def write(self, text: str) -> int:
        self._behind.write(self.safe(text))
        return len(text)

    def flush(self) -> None:
        self._behind.flush()

    def isatty(self) -> bool:
        return self._behind.isatty()

    def fileno(self) -> int:
        return self._behind.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._behind.encoding or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._behind.errors or "strict"


class _Styled(_Stream):
    def safe(self, text: str) -> str:
        return _NOT_OF_RICH.sub(lambda found: found[1] or escaped(found[0]), text)


class _Plain(_Stream):
    """`rich_proxied_file` is what rich writes to in place of this."""

    def __init__(self, behind: TextIO) -> None:
        super().__init__(behind)
        self.rich_proxied_file = _Styled(behind)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Let nothing reach stdout and stderr but through this module."""
    before: tuple[Any, Any] = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Plain(before[0]), _Plain(before[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
