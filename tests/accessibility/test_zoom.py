"""Every page at 200 % and 400 %, and with a reader's own spacing (WCAG 1.4.4, 1.4.10, 1.4.12).

And what each page has to be for a screen reader, and for whom moving things hinder.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page

from tests.accessibility.sample_city import SampleCity, paths

# A window of 1280 × 1024 at 200 % and at 400 %.
ZOOMED = {"200 %": (640, 512), "400 %": (320, 256)}
SPACING = """.pendopo *, .pendopo { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important } .pendopo p { margin-bottom: 2em !important }"""
# Text cut off by a box around it; one that scrolls, or is for screen readers alone, cuts nothing.
CUT = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.getElementById('pendopo'), NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    if (!text.nodeValue.trim() || !text.parentElement.checkVisibility({ visibilityProperty: true })) continue;
    if (text.parentElement.closest('svg, #live-line, .visually-hidden, .skip:not(:focus)')) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    let inside = false;
    for (let one = text.parentElement; one && !inside; one = one.parentElement) {
      const style = getComputedStyle(one);
      inside = style.clipPath !== 'none' || style.clip !== 'auto';  // for screen readers alone
      if (inside) break;
      if (/auto|scroll/.test(style.overflowX + style.overflowY)) inside = true;
      const frame = one.getBoundingClientRect();
      if (style.overflowX === 'hidden' && (box.right > frame.right + 1 || box.left < frame.left - 1)
        || style.overflowY === 'hidden' && (box.bottom > frame.bottom + 1 || box.top < frame.top - 1)) {
        found.push(text.nodeValue.trim().slice(0, 60) + ' in ' + one.className);
        break;
      }
    }
    const beyond = !inside && box.right > innerWidth + 1;
    if (beyond) found.push(text.nodeValue.trim().slice(0, 60) + ' beyond the edge');
  }
  return [...new Set(found)];
}"""

MOVING = """() => Array.from(document.querySelectorAll('.pendopo *')).filter((one) => {
  const style = getComputedStyle(one);
  const spans = style.transitionDuration.split(',').map(parseFloat);
  return style.animationName !== 'none' || spans.some((span) => span > 0);
}).map((one) => one.className)"""


def lost(page: Page) -> list[str]:
    found: list[str] = page.evaluate(CUT)
    wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    return found + ([f"the page scrolls sideways by {wide} px"] if wide > 1 else [])


@pytest.fixture(scope="module", params=paths())
def opened(request: pytest.FixtureRequest, browser: Browser, city: SampleCity) -> Iterator[Page]:
    """Each page once for all the tests of this module, in English."""
    page = city.opened(browser, f"{paths()[request.param]}?lang=en")
    yield page
    page.close()


def test_nothing_moves_for_who_asked_for_stillness(opened: Page) -> None:
    moving = opened.evaluate(MOVING)
    assert not moving
    assert opened.evaluate("document.getAnimations().length") == 0


def test_a_page_has_a_language_a_title_and_its_parts(opened: Page) -> None:
    """The languages' own names are in their own; headings begin at one and skip no level."""
    assert opened.locator("html").get_attribute("lang") == "en"
    assert opened.title().endswith(" · Kota Contoh")
    for part in ("header", "main"):
        assert opened.locator(part).count() == 1, part
    levels = opened.evaluate(
        "Array.from(document.querySelectorAll('h1,h2,h3,h4,h5,h6')).map(one => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= before + 1 for before, later in pairwise(levels)), levels
    for language in ("id", "en") if opened.locator(".switch").count() else ():
        assert opened.locator(f"a.switch[lang={language}]").count() == 1


def test_a_zoomed_page_loses_nothing(opened: Page) -> None:
    """The last of a page's tests: it changes the page."""
    found = {}
    for zoom, (wide, high) in ZOOMED.items():
        opened.set_viewport_size({"width": wide, "height": high})
        found[zoom] = lost(opened)
    opened.add_style_tag(content=SPACING)
    found["400 %, spaced"] = lost(opened)
    opened.set_viewport_size({"width": 1280, "height": 1024})
    if not opened.locator(".pendopo.wall").count():  # a wall fits its screen; on a phone and zoomed it flows
        found["spaced"] = lost(opened)
    assert not any(found.values()), {where: what for where, what in found.items() if what}


def test_lost_text_is_found(browser: Browser, city: SampleCity) -> None:
    page = city.opened(browser, "/mayor")
    page.add_style_tag(content=".block h2 { white-space: nowrap; overflow: hidden; width: 2rem }")
    assert lost(page)
    page.close()
