"""The one owner of escaping: what comes from outside neither commands a terminal nor becomes markup.

Names of files and folders, descriptions and messages may hold escape sequences, bidirectional overrides, HTML or links.
Control and format characters are written as JSON writes them, by their number in four digits, so JSON
stays the same value. HTML is escaped by Jinja, XML by ElementTree, and plots read no mathematics in a text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNSAFE = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\U000e0000-\U000e007f"
)
"""Characters that a text is never shown with, as a set of a regular expression: all but line ends and tabs."""
_CONTROL = re.compile(f"[{UNSAFE}]")
_LAYOUT = re.compile(r"[\t\n]")
_MARKDOWN = re.compile(r"\||(?<=\])\((?=\s*<?(?:[a-zA-Z][a-zA-Z0-9+.-]*:|//|\\))|(?<=!)\[")


def visible(text: str) -> str:
    """Show control and format characters as escapes; line ends and tabs stay."""
    return _CONTROL.sub(lambda found: escaped(found[0]), text)


def one_line(text: str) -> str:
    """Show all control characters as escapes, line ends and tabs too: a name cannot pass for a line of its own."""
    return visible(_LAYOUT.sub(lambda found: escaped(found[0]), text))


def escaped(char: str) -> str:
    """Write a character as JSON does."""
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def markdown_text(text: str) -> str:
    """Make a text fit for one line of Markdown: no cell of a table ends in it, and no HTML and no picture begins.

    A link may lead to another page of the documentation, and to no other site.
    """
    plain = visible(" ".join(text.split("\n")))
    return _MARKDOWN.sub(lambda found: f"\\{found[0]}", plain.replace("<", "&lt;"))


def plain_texts(drawn: Figure) -> None:
    """Have all texts of a figure drawn as they are; between `$` matplotlib would read mathematics, or fail to."""
    from matplotlib.text import Text

    for text in drawn.findobj(Text):
        text.set_parse_math(False)
        text.set_text(visible(text.get_text()))
