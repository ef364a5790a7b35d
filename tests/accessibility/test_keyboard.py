"""Every page by keyboard alone: each stop reached in order, seen, never covered, and kept over a change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.accessibility.sample_city import SampleCity, connected, paths
from tests.layouts import views
from tests.layouts.thin import thinned

# What takes the focus, in the order of the document; what is folded away or hidden does not.
STOPS = """() => window.stops = Array.from(document.querySelectorAll(
    'a[href], button, summary, input, select, textarea, iframe, [tabindex]'))
  .filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true })
    && !(one.closest('details:not([open])') && one.tagName !== 'SUMMARY'))"""
# Where the focus is, how it is marked, on what ground, and whether something lies over it. The mark is an
# outline that goes when the focus goes: of the stop, of what it draws before or after itself, or around it.
HERE = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const places = [[at, null], [at, '::after'], [at, '::before']];
  for (let one = at; (one = one.parentElement) && places.length < 7;) places.push([one, null]);
  const look = () => places.map(([one, part]) => {
    const style = getComputedStyle(one, part);
    return [style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth), style.outlineColor];
  });
  const box = at.getBoundingClientRect(), marked = look();
  const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2);
  const y = Math.min(Math.max(box.top + Math.min(box.height, innerHeight) / 2, 1), innerHeight - 2);
  const over = document.elementFromPoint(x, y);
  at.blur();
  const plain = look();
  at.focus({ preventScroll: true });
  const n = marked.findIndex((one, n) => one[0] && String(one) !== String(plain[n]));
  return {
    place: window.stops.indexOf(at), said: at.outerHTML.slice(0, 140),
    outline: n < 0 ? 0 : marked[n][0], colour: n < 0 ? 'rgb(0, 0, 0)' : marked[n][1],
    ground: ground(places[Math.max(n, 0)][0].parentElement),
    inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    free: !!over && (at.contains(over) || over.contains(at)),
  };
}"""

HELD = 2
LISTEN = """() => {
  const line = document.getElementById('live-line');
  window.spoken = [];
  new MutationObserver(() => window.spoken.push(line.textContent))
    .observe(line, { childList: true, characterData: true, subtree: true });
}"""


def luminance(colour: str) -> float:
    """Of "rgb(1, 2, 3)" (WCAG 2)."""
    parts = [int(float(part)) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def walk(page: Page) -> list[dict[str, Any]]:
    """Tab from the top until the focus leaves the page."""
    page.evaluate("document.activeElement.blur()")
    count = len(page.evaluate(f"({STOPS})().map(one => one.tagName)"))
    found: list[dict[str, Any]] = []
    for _ in range(count + 2):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if here is None or (found and here["place"] == 0):
            break
        found.append(here)
    assert len(found) == count, f"{count} stops, {len(found)} reached; last {found[-1:]}"
    return found


@pytest.mark.parametrize("name", paths())
def test_tab_reaches_every_stop_in_order_and_each_is_seen(
    browser: Browser, city: SampleCity, name: str
) -> None:
    page = city.opened(browser, paths()[name])
    found = walk(page)
    assert [one["place"] for one in found] == list(range(len(found))), "the order of the document"
    assert 'class="skip"' in found[0]["said"], "the way to the content comes first"
    for one in found:
        assert one["outline"] >= 2, f"no visible focus: {one['said']}"
        assert contrast(one["colour"], one["ground"]) >= 3, f"pale focus: {one}"
        assert one["inside"], f"out of sight: {one['said']}"
        assert one["free"], f"covered: {one['said']}"
    page.close()


def test_the_skip_link_leads_to_the_content(browser: Browser, city: SampleCity) -> None:
    page = city.opened(browser, "/mayor")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('content').contains(document.activeElement)")
    page.close()


def test_enter_and_space_press_buttons_and_unfold_tables(browser: Browser, city: SampleCity) -> None:
    page = city.opened(browser, "/attendance")
    pause = page.locator("#pause")
    pause.focus()
    for key, pressed in (("Enter", "true"), ("Space", "false")):
        page.keyboard.press(key)
        expect(pause).to_have_attribute("aria-pressed", pressed)
    fold = page.locator("#attendance-arrivals details")
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(fold.locator("table")).to_be_visible()
    page.keyboard.press("Tab")
    expect(fold.get_by_role("region")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(fold.locator("table")).to_be_hidden()
    page.close()


def _attendance(**changes: Any) -> Any:
    """The attendance view with another figure in the row at `HELD`, or without that row."""
    view = thinned(views.SNAPSHOTS["attendance"]().detail)
    rows = list(view.by_opd)
    if changes:
        rows[HELD] = replace(rows[HELD], **changes)
    else:
        del rows[HELD]
    return replace(view, by_opd=tuple(rows))


def test_a_change_leaves_the_focus_where_it_was(browser: Browser, city: SampleCity) -> None:
    """In a table that is set anew, on the very link; and when its row went away, on what took its place."""
    page = city.opened(browser, "/attendance")
    table = page.locator("#attendance-opd")
    link = table.locator("tbody a").nth(HELD)
    link.focus()
    where = link.get_attribute("href")
    before = table.inner_text()
    city.change(detail=_attendance(off_site=987))
    expect(table).to_contain_text("987")
    assert table.inner_text() != before
    assert page.evaluate("document.activeElement.getAttribute('href')") == where
    city.change(detail=_attendance())
    expect(table).not_to_contain_text("987")
    assert page.evaluate("document.activeElement.closest('#attendance-opd') !== null")
    city.change()
    page.close()


def test_a_change_leaves_tiles_folds_and_the_scroll_as_they_were(browser: Browser, city: SampleCity) -> None:
    page = city.opened(browser, "/attendance")
    link = page.locator("#tile-attendance_rate_today a").first
    link.focus()
    where = link.get_attribute("href")
    readings = views.SNAPSHOTS["attendance"]().readings
    city.change(readings={key: replace(one, value=0.777) for key, one in readings.items()})
    expect(page.locator("#tile-attendance_rate_today")).to_contain_text("77,7")
    assert page.evaluate("document.activeElement.getAttribute('href')") == where
    city.change()
    page.close()
    page = city.opened(browser, "/attendance")
    page.locator("#attendance-arrivals summary").click()
    view = views.SNAPSHOTS["attendance"]().detail
    city.change(detail=replace(view, arrivals=tuple(replace(one, usual=0.4321) for one in view.arrivals)))
    expect(page.locator("#attendance-arrivals table")).to_contain_text("43,2")
    expect(page.locator("#attendance-arrivals table")).to_be_visible()
    city.change()
    page.close()


def test_one_polite_line_sums_up_at_most_every_ten_seconds(browser: Browser, city: SampleCity) -> None:
    page = browser.new_page()
    page.add_init_script("window.ahead = 0; const now = Date.now; Date.now = () => now() + window.ahead;")
    page.goto(city.url + "/service-requests", wait_until="commit")
    connected(page)
    line = page.locator("#live-line")
    assert (line.get_attribute("role"), line.get_attribute("aria-live")) == ("status", "polite")
    assert page.locator("[aria-live]").count() == 1, "no panel speaks for itself"
    page.evaluate(LISTEN)
    page.evaluate("window.ahead = 11000")
    readings = list(views.SNAPSHOTS["service_requests"]().readings.items())
    for kept in (6, 4, 2):
        city.change(readings=dict(readings[:kept]))
        expect(page.locator(".tile:not(.no_data)")).to_have_count(kept)
    (first,) = set(page.evaluate("window.spoken"))
    expect(line).to_have_text(first)  # the first change at once, the others wait
    page.evaluate("window.ahead = 22000")
    expect(line).not_to_have_text(first)
    assert len(set(page.evaluate("window.spoken"))) == 2, "the newest, and nothing in between"
    city.change()
    page.close()
