"""A build's report drawn: for a terminal of 80 columns with rich, and in Markdown."""

from edgeseg.reports.build.markdown import markdown, markdown_table
from edgeseg.reports.build.terminal import terminal
from edgeseg.reports.build.tried import TRIED_HEAD, tried_rows

__all__ = ["TRIED_HEAD", "markdown", "markdown_table", "terminal", "tried_rows"]
