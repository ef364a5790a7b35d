"""Every page. A page is a title, a view and two pure functions."""

from __future__ import annotations

from layouts.pages import mayor, opd, sources, wall
from layouts.pages.page import Page

PAGES: tuple[Page, ...] = (
    wall.PAGE,
    mayor.PAGE,
    opd.PAGE,
    sources.PAGE,
)

__all__ = ["PAGES", "Page"]
