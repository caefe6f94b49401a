"""A build's report drawn: for a terminal of 80 columns with rich, and in Markdown."""

from __future__ import annotations

from edgeseg.reports.build.document import markdown_table, short_markdown_table, whole_report
from edgeseg.reports.build.screen import terminal
from edgeseg.reports.build.tried import TRIED_HEAD, tried_rows

__all__ = ["TRIED_HEAD", "markdown_table", "short_markdown_table", "terminal", "tried_rows", "whole_report"]
