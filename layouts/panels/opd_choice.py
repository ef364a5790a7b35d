"""Which OPD a city's page looks at: a list and a button, so that what is seen has an address."""

from __future__ import annotations

from dash.development.base_component import Component

from kpis.types import Snapshot
from layouts.flat import Flat
from layouts.marks import full, picked
from layouts.svg import element
from layouts.words import Words


def opd_choice(snapshot: Snapshot, path: str, w: Words) -> Component:
    """All OPD or one; the language and the days looked at stay as they are."""
    chosen = picked(snapshot).get("opd", "")
    options = [_option("", w.t("All OPD"), chosen)]
    options += [
        _option(opd.code, f"{opd.abbreviation} · {full(snapshot, opd.code, w)}", chosen)
        for opd in sorted(snapshot.city.opds, key=lambda opd: opd.abbreviation.casefold())
    ]
    keep = [
        element("input", type="hidden", name=name, value=value)
        for name, value in {"lang": w.language, **w.keep}.items()
    ]
    choice = element("select", *options, name="opd", class_="switch")
    button = element("button", w.t("Show"), type="submit", class_="switch")
    form = element("form", *keep, element("label", "OPD", choice), button, method="get", action=path)
    return Flat(str(form), "opd-choice")


def _option(code: str, text: str, chosen: str) -> str:
    return element("option", text, value=code, selected="selected" if code == chosen else None)
