"""Whoever sees no colours, or other ones, still sees first what has to be acted on.

A screenshot as such eyes see it is measured: of every tile, how much its pixels differ from the surface
it stands on, in CIE lightness. Letters and lines count in all tiles alike; what a state adds to a tile that
is on target is how loud it is, and ACT, with its edge and solid strip, is `MARGIN` times as loud as the next.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from kpis.types import Freshness, Severity
from tests.accessibility.sample_city import SampleCity, wear
from tests.layouts import views

EYES = ("none", "achromatopsia", "protanopia", "deuteranopia", "tritanopia")
MARGIN = 2
TILE = "requests_open"
STATES = ("on_target", "watch", "act", "late", "stale", "no_data")
# Mean difference in lightness (L*, 0 to 100) from the commonest lightness inside each box.
MEASURE = """async ({ png, boxes }) => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const paint = canvas.getContext('2d');
  paint.drawImage(image, 0, 0);
  const linear = Array.from({ length: 256 }, (_, n) =>
    n / 255 <= 0.04045 ? n / 255 / 12.92 : Math.pow((n / 255 + 0.055) / 1.055, 2.4));
  const lightness = (y) => y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
  return boxes.map((box) => {
    const data = paint.getImageData(box.x, box.y, box.width, box.height).data;
    const found = [], count = new Map();
    for (let n = 0; n < data.length; n += 4) {
      const [red, green, blue] = [0, 1, 2].map((part) => linear[data[n + part]]);
      const l = lightness(0.2126 * red + 0.7152 * green + 0.0722 * blue);
      found.push(l);
      count.set(Math.round(l), (count.get(Math.round(l)) || 0) + 1);
    }
    const ground = [...count.entries()].sort((a, b) => b[1] - a[1])[0][0];
    return found.reduce((sum, l) => sum + Math.abs(l - ground), 0) / found.length;
  });
}"""


def in_every_state() -> dict[str, Any]:
    """The same figure in every state, so that nothing but the state differs."""
    snapshot = views.SNAPSHOTS["wall"]()
    base = snapshot.readings[TILE]

    def told(state: str) -> Any:
        severity = Severity(state) if state in ("on_target", "watch", "act") else Severity.ON_TARGET
        fresh = Freshness(state) if state in ("late", "stale") else Freshness.FRESH
        found = replace(base, severity=severity, freshness=fresh)
        return replace(found, value=None, freshness=Freshness.NEVER) if state == "no_data" else found

    keys = list(snapshot.detail.tiles)[: len(STATES)]
    kpi = snapshot.kpis[TILE]
    return {
        "readings": {key: replace(told(state), kpi=key) for key, state in zip(keys, STATES, strict=True)},
        "kpis": {**snapshot.kpis, **{key: replace(kpi, key=key) for key in keys}},
        "trends": dict.fromkeys(keys, snapshot.trends[TILE]),
        "detail": replace(snapshot.detail, tiles=tuple(keys)),
    }


def boxes(page: Page) -> dict[str, dict[str, float]]:
    """State → the box of its tile, in pixels."""
    found = {}
    for state in STATES:
        box = page.locator(f".tile.{state}").first.bounding_box()
        assert box
        found[state] = {key: round(value) for key, value in box.items()}
    return found


def measured(page: Page, bench: Page, eyes: str) -> dict[str, float]:
    """State → loudness, as those eyes see the page."""
    door = page.context.new_cdp_session(page)
    door.send("Emulation.setEmulatedVisionDeficiency", {"type": eyes})
    places = boxes(page)
    png = base64.b64encode(page.screenshot()).decode()
    found = bench.evaluate(MEASURE, {"png": png, "boxes": list(places.values())})
    door.detach()
    plain = found[list(places).index("on_target")]
    return {state: one - plain for state, one in zip(places, found, strict=True)}


@pytest.mark.parametrize("screen", [{"path": "/wall", "size": (1920, 1080)}], ids=["wall"])
def test_act_is_the_loudest_state_to_all_eyes(
    browser: Browser, city: SampleCity, screen: dict[str, Any]
) -> None:
    wide, high = screen["size"]
    city.change(**in_every_state())
    page = city.opened(browser, screen["path"], viewport={"width": wide, "height": high})
    bench = browser.new_page()
    quiet = {}
    for theme in ("dark", "light"):
        wear(page, theme)
        for eyes in EYES:
            found = measured(page, bench, eyes)
            act = found.pop("act")
            if act < MARGIN * max(found.values()):
                quiet[theme, eyes] = (act, found)
    page.close()
    bench.close()
    city.change()
    assert not quiet


def test_act_is_the_loudest_in_a_viewers_own_colours(browser: Browser, city: SampleCity) -> None:
    """Contrast themes take shadows and fills away."""
    city.change(**in_every_state())
    page = city.opened(browser, "/wall", viewport={"width": 1920, "height": 1080}, forced_colors="active")
    bench = browser.new_page()
    found = measured(page, bench, "none")
    page.close()
    bench.close()
    city.change()
    act = found.pop("act")
    assert act >= MARGIN * max(found.values()), found
