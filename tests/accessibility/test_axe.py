"""axe-core finds nothing on any page, in both themes, as wide as a laptop and as a phone.

Its script is handed to the page by the browser's own debugging door, which no content policy holds
back: the pages keep theirs. A theme changes nothing but colours, so in the second one only those are
looked at again.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.accessibility.sample_city import SampleCity, paths, wear

WIDTHS = {"laptop": (1440, 900), "phone": (390, 844)}
# WCAG up to 2.2 AA, and what axe holds for good practice: headings in order, everything in a landmark.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WHOLE = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


def report(found: list[dict[str, Any]]) -> str:
    """What axe found, a line a place."""
    return "\n".join(
        f"  {one['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:260]!r}"
        for one in found
        for node in one["nodes"][:4]
    )


def run(page: Page, options: dict[str, Any]) -> list[dict[str, Any]]:
    result = page.evaluate(f"axe.run({json.dumps(options)})")
    assert result["passes"], "axe saw the page"
    found: list[dict[str, Any]] = result["violations"]
    return found


@pytest.mark.parametrize("name", paths())
def test_axe_finds_nothing(browser: Browser, city: SampleCity, axe: str, name: str) -> None:
    page = city.opened(browser, paths()[name])
    page.evaluate(axe)
    said = []
    for width, (wide, high) in WIDTHS.items():
        page.set_viewport_size({"width": wide, "height": high})
        for theme, options in (("light", WHOLE), ("dark", COLOURS)):
            wear(page, theme)
            if found := run(page, options):
                said.append(f"{width}, {theme}:\n{report(found)}")
    page.close()
    assert not said, "\n".join(said)


def test_axe_finds_what_is_wrong(browser: Browser, city: SampleCity, axe: str) -> None:
    """The same run on a page with a nameless button, a pale word and a second main part."""
    page = city.opened(browser, "/sources")
    page.evaluate(axe)
    page.evaluate(
        "document.getElementById('content').insertAdjacentHTML('beforeend', "
        "'<button></button><p style=\"color:#999;background:#fff\">pucat</p><main></main>')"
    )
    assert {"button-name", "color-contrast", "landmark-no-duplicate-main"} <= {
        one["id"] for one in run(page, WHOLE)
    }
    page.close()
