"""The interfaces of the OPD's systems: what each step stands on, the age of the data, ninety days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from kpis.views import InterfaceRow, Step, SyncDay
from layouts.flat import flat
from layouts.marks import ago, href, opd_link
from layouts.panels.heartbeat import beat_axis, sync_heartbeat, sync_remarks
from layouts.panels.tables import gap, nothing
from layouts.svg import Svg, drawing, element
from layouts.terms import STEPS
from layouts.words import MISSING, Words

Days = Mapping[tuple[str, str, str], Sequence[SyncDay]]
FRESH, STALE = 1.0, 3.0
"""In expected intervals: fresh up to one, late up to three, stale beyond."""
_AXIS = 4.0


def interface_table(
    snapshot: Snapshot,
    rows: Sequence[InterfaceRow],
    w: Words,
    *,
    days: Days | None = None,
    matched: float = 0.95,
    rejected: float = 0.02,
) -> Component:
    """A row per interface in the order given; `matched` and `rejected` are the rates of the top step."""
    if not rows:
        return nothing(w.t("No interface is registered."))
    known = days or {}
    first = next((found[0].day for found in known.values() if found), None)
    titles = (
        w.t("System and interface"), "OPD", w.t("Step"), w.t("Evidence"), w.t("Data age"),
        beat_axis(first, w) if first else w.t("90 days"), w.t("Good syncs, 24 hours"),
    )  # fmt: skip
    attributes: dict[str, Any] = {
        "data-first": first.isoformat() if first else "", "data-plain": w.t("all runs good"),
    }  # fmt: skip
    body = [_row(snapshot, row, known, w, matched, rejected) for row in rows]
    head = html.Thead(html.Tr([html.Th(title, scope="col") for title in titles]))
    inside = html.Table([head, html.Tbody(body)], className="table interfaces", **attributes)
    return flat(inside, "scroll", w.t("Interfaces"))


def interface_href(row: InterfaceRow, w: Words) -> str:
    """Where an interface's own page is."""
    of = "/".join(quote(part, safe="") for part in (row.opd, row.system, row.interface))
    return href("/interface", w, of=of)


def _row(
    snapshot: Snapshot, row: InterfaceRow, days: Days, w: Words, matched: float, rejected: float
) -> html.Tr:
    name = html.A(f"{row.system} · {row.interface}", href=interface_href(row, w))
    runs = f"{w.number(row.ok_24h)} / {w.number(row.runs_24h)}" if row.runs_24h else MISSING
    return html.Tr(
        [
            html.Th(name, scope="row"),
            html.Td(opd_link(snapshot, row.opd, w)),
            html.Td(w.t(STEPS[row.step])),
            html.Td(evidence(snapshot, row, w, matched, rejected)),
            html.Td(data_age(snapshot, row, w)),
            html.Td(beats(days.get((row.opd, row.system, row.interface), ()), snapshot, w), className="beat"),
            html.Td(runs, className="num"),
        ]
    )


def beats(days: Sequence[SyncDay], snapshot: Snapshot, w: Words) -> Any:
    if not days:
        return MISSING
    attributes: dict[str, Any] = {"data-days": len(days), "data-said": sync_remarks(days, w)}
    return html.Div(sync_heartbeat(days, snapshot.at, w), className="beats", **attributes)


def evidence(snapshot: Snapshot, row: InterfaceRow, w: Words, matched: float, rejected: float) -> html.Ul:
    """What machines saw of each step, met or missed, with what the step asks for."""
    synced = row.step not in (Step.BELUM, Step.TERDAFTAR)
    within = w.age(STALE * interval_of(row))
    items = [
        _met(row.registered, w.t("registered") if row.registered else w.t("not registered"), w),
        _met(synced, _last(row, snapshot, w, within), w),
        _met(
            None if row.matched_share is None else row.matched_share >= matched,
            w.t("codes matched {share} ≥ {rule}", share=w.share(row.matched_share), rule=w.share(matched)), w,
        ),
        _met(
            None if row.rejected_share is None else row.rejected_share <= rejected,
            w.t("rows rejected {share} ≤ {rule}", share=w.share(row.rejected_share), rule=w.share(rejected)),
            w,
        ),
    ]  # fmt: skip
    if row.error:
        items.append(html.Li(row.error, className="small-print"))
    return html.Ul(items, className="evidence")


def _met(met: bool | None, text: Any, w: Words) -> html.Li:
    """One piece of evidence; the shape before it says whether it was met, in words for who cannot see it."""
    kind, word = ("met", w.t("met")) if met else ("missed", w.t("missed"))
    if met is None:
        kind, word = "unknown", w.t("not known")
    return html.Li([html.Span(word, className="visually-hidden"), text], className=kind)


def _last(row: InterfaceRow, snapshot: Snapshot, w: Words, within: str) -> Any:
    """The last good sync against three intervals, and a newer run that failed."""
    if row.last_run_at is None:
        return gap(w.t("never synced"))
    good: Any = gap(w.t("never a good sync"))
    if row.last_ok_at is not None:
        form = w.t("good sync {age} ago, within {most}", age="{age}", most=within)
        good = ago(row.last_ok_at, snapshot.at, w, form)
    if row.last_ok:
        return good
    failed = ago(row.last_run_at, snapshot.at, w, w.t("failed, {age}"))
    return html.Span([good, " · ", html.Span(failed, className="state failed")])


def data_age(snapshot: Snapshot, row: InterfaceRow, w: Words) -> Any:
    """How old the data are, and a bar of it in expected intervals: ticks at one and at three."""
    if row.data_as_of is None or row.data_age_hours is None:
        return gap(w.t("not told"))
    interval = interval_of(row)
    share = timedelta(hours=row.data_age_hours) / interval
    said = w.t("{n} × {interval}", n=w.number(share, 1), interval=w.age(interval))
    age = ago(row.data_as_of, snapshot.at, w, kind="observed")
    return html.Div([html.Div(age), age_bar(share), html.Div(said, className="small-print")], className="age")


def interval_of(row: InterfaceRow) -> timedelta:
    """How often the interface should sync; a day where nobody said."""
    return timedelta(seconds=row.interval_s or 86_400)


def age_bar(share: float) -> Svg:
    """`share` is the age in expected intervals. Solid while fresh, hollow when late, hatched when stale."""
    kind = "c-solid" if share <= FRESH else "c-hollow" if share <= STALE else "c-stale"
    wide = round(min(share, _AXIS) / _AXIS * 100, 1)
    ticks = "".join(f"M{at / _AXIS * 100:g} 0v10" for at in (FRESH, STALE))
    shapes = [
        element("rect", x=0, y=2, width=wide, height=6, class_=kind),
        element("path", d=ticks, class_="c-tick"),
    ]
    return Svg(drawing(100, 10, shapes, "", stretch=True), className="age-bar")
