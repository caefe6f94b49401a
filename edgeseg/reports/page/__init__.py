"""The report as one self-contained HTML page: no network, light and dark, fit for print."""

from __future__ import annotations

from edgeseg.reports.page.page import page

__all__ = ["page"]
