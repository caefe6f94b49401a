"""The report as one self-contained HTML page: no network, light and dark, fit for print."""

from __future__ import annotations

from edgeseg.stages.page.page import page
from edgeseg.stages.page.write import write_page

__all__ = ["page", "write_page"]
