"""The one way out to the terminal: what comes from outside can neither command it nor be taken for markup.

Names of files and folders, descriptions and messages may hold escape sequences (which set a title, or move the cursor),
bidirectional overrides, or what rich takes for markup. Plain text passes `_Plain`, which shows every such character as
`\\u001b`; that is how JSON writes it, so JSON stays the same value. What rich draws passes `console`, whose texts are
treated likewise, and then `_Styled`, which lets through the styles and cursor moves that rich itself adds.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_UNSAFE = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\U000e0000-\U000e007f"
)
_CONTROL = re.compile(f"[{_UNSAFE}]")
_NOT_OF_RICH = re.compile(rf"(\x1b\[(?:[0-9;]*m|\?25[lh]|[0-9]*[ABCDGJK])|\r)|[{_UNSAFE}]")
_LAYOUT = re.compile(r"[\t\n]")


def visible(text: str) -> str:
    """Show control and format characters as escapes; line ends and tabs stay."""
    return _CONTROL.sub(lambda found: _escaped(found[0]), text)


def one_line(text: str) -> str:
    """Show all control characters as escapes, line ends and tabs too: a name cannot pass for a line of its own."""
    return visible(_LAYOUT.sub(lambda found: _escaped(found[0]), text))


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def console(*, stderr: bool = False) -> Console:
    """Make a rich console that takes no text for markup, and shows what could command a terminal."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Plain(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for one in super().render(renderable, options):
                yield one if one.control or not _CONTROL.search(one.text) else Segment(visible(one.text), one.style)

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
        return _NOT_OF_RICH.sub(lambda found: found[1] or _escaped(found[0]), text)


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
