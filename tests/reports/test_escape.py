from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from edgeseg.reports.escape import markdown_text, one_line, visible
from edgeseg.reports.page import svg

NASTY = (
    "$\\frac$",
    "$x",
    "a$_b$c",
    "<script>x</script>",
    "|x|",
    "`x`",
    "[a](http://x)",
    "![a](http://x)",
    "x\ny",
    "\x1b]0;x\x07",
)


@pytest.mark.parametrize(
    "text", ["\x1b]0;x\x07", "\x9b2J", "\u202ex", "\u2028", "\U000e0041", "\x00", "\x7f", "\ufeff"]
)
def test_what_commands_a_terminal_is_shown_and_json_stays_the_same_value(text: str) -> None:
    assert all(char.isprintable() for char in visible(text))
    assert json.loads(visible(json.dumps({"a": text}, ensure_ascii=False, indent=2))) == {"a": text}


def test_other_text_stays() -> None:
    assert visible("M\xfcller \u6771\u4eac \u03b1\n\tx") == "M\xfcller \u6771\u4eac \u03b1\n\tx"
    assert one_line("a\nerror: b\tc") == "a\\u000aerror: b\\u0009c"


@pytest.mark.parametrize("text", NASTY)
def test_markdown_is_one_cell_without_html_or_foreign_links(text: str) -> None:
    found = markdown_text(text)
    bare = found.replace("\\|", "").replace("]\\(", "").replace("!\\[", "")
    assert not [mark for mark in ("|", "<", "](", "![", "\n", "\x1b") if mark in bare]


def test_an_interval_in_a_cell_stays_as_it_is() -> None:
    assert markdown_text("0.901 [0.880, 0.921] (n = 10)") == "0.901 [0.880, 0.921] (n = 10)"


@pytest.mark.parametrize("text", NASTY)
def test_a_plot_shows_any_name(text: str) -> None:
    drawn, axes = svg.figure(3.0, 2.0)
    axes.plot([1, 2], [1, 2], label=text)
    axes.annotate(text, (1, 1))
    axes.set(xlabel=text, title=text)
    svg.legend(axes)
    found = svg.inline(drawn, salt="s", title=text)
    assert "<script>" not in found
    if "\x1b" not in text:
        shown = "".join(ET.fromstring(found).itertext())
        assert shown.count(text.partition("\n")[0]) >= 3


def test_a_link_to_another_page_stays() -> None:
    text = "[`edgeseg data`](#edgeseg-data), [files](files.md)"
    assert markdown_text(text) == text
