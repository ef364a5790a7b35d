"""The sources page: what each source sent and when last, what was rejected and why, one reject whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from kpis.types import Snapshot
from kpis.views import RejectRow, SourceRow, SourcesView
from layouts import reasons
from layouts.marks import STATE_WORDS, ago, href
from layouts.pages.page import Page, Panels, section, slot, with_shared
from layouts.panels.screen_table import screen_table
from layouts.panels.tables import scrolling
from layouts.words import MISSING, Words, msg

DOORS = {"mqtt": "MQTT", "database": msg("Database"), "file": msg("File"), "probe": msg("Probe")}
FRESH = {"fresh": msg("Fresh"), "late": STATE_WORDS["late"], "stale": STATE_WORDS["stale"]}

SOURCE_TITLES = (
    msg("Source"),
    msg("Door"),
    msg("Feeds"),
    msg("State"),
    msg("Last record"),
    msg("Accepted"),
    msg("Known"),
    msg("Rejected"),
    msg("Last 24 hours"),
)
REJECT_TITLES = (
    msg("Last seen"),
    msg("Source"),
    msg("Reason"),
    msg("Field"),
    msg("Times"),
    msg("Where"),
)

ENROL = msg(
    "Open /screen on a new device, then type on the server: ./run screen enrol CODE NAME. "
    "./run screen revoke NAME takes a screen's right away."
)
COUNTS = (msg("Accepted"), msg("Known"), msg("Rejected"), msg("Times"))


def _head(titles: tuple[str, ...], w: Words) -> html.Thead:
    cells = [html.Th(w.t(title), className="n" if title in COUNTS else "") for title in titles]
    return html.Thead(html.Tr(cells))


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """The table of sources, the rejects, and the one that was linked to."""
    view: SourcesView = snapshot.detail
    own: Panels = {
        "reject-chosen": _linked(view, snapshot, w),
        "source-list": _sources(view.sources, snapshot, w),
        "screen-list": screen_table(snapshot, w),
        "reject-reasons": _reasons(view, w),
        "reject-list": _rejects(view.rejects, snapshot, w),
    }
    return with_shared(snapshot, w, own)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """The linked reject first, then sources, then what waits to be mended."""
    found = panels(snapshot, w)
    return html.Div(
        [
            html.H1(w.t("Sources")),
            slot(found, "reject-chosen"),
            section(w.t("What each source sent"), slot(found, "source-list")),
            section(w.t("Screens"), slot(found, "screen-list"), note=w.t(ENROL)),
            section(
                w.t("Rejected records"),
                slot(found, "reject-reasons"),
                slot(found, "reject-list"),
                note=w.t("Nothing is lost: mend the source or its mapping, then run ./run replay."),
            ),
        ],
        className="page sources-page",
    )


def _sources(rows: tuple[SourceRow, ...], snapshot: Snapshot, w: Words) -> Any:
    if not rows:
        return html.P(w.t("No source has sent anything yet."), className="calm")
    head = _head(SOURCE_TITLES, w)
    body = html.Tbody([_source(row, snapshot, w) for row in rows])
    return scrolling(dbc.Table([head, body], className="list"), w.t("Sources"))


def _source(row: SourceRow, snapshot: Snapshot, w: Words) -> html.Tr:
    day = w.t("{a} in, {r} rejected", a=w.number(row.accepted_24h), r=w.number(row.rejected_24h))
    name: list[Any] = [html.B(row.source)]
    if row.error:
        name.append(html.Div(row.error, className="trouble"))
    return html.Tr(
        [
            html.Th(name, scope="row"),
            html.Td(w.t(DOORS.get(row.door, row.door))),
            html.Td(", ".join(row.feeds) or MISSING),
            html.Td([_state(row, w), *_behind(row, w)]),
            html.Td(ago(row.last_at, snapshot.at, w, kind="observed")),
            html.Td(w.number(row.accepted), className="n"),
            html.Td(w.number(row.known), className="n"),
            html.Td(w.number(row.rejected), className="n"),
            html.Td(day),
        ]
    )


def _state(row: SourceRow, w: Words) -> html.Span:
    if row.error:
        return html.Span(w.t("Fails"), className="state act")
    if row.freshness == "never":
        return html.Span(w.t(STATE_WORDS["no_data"]), className="state no_data")
    kind = {"late": "late", "stale": "stale"}.get(row.freshness, "on_target")
    return html.Span(w.t(FRESH[row.freshness]), className=f"state {kind}")


def _behind(row: SourceRow, w: Words) -> list[html.Div]:
    """What ingest is still catching up with; silent when nothing more waits."""
    if row.behind_s is None:
        return []
    age = w.age(timedelta(seconds=row.behind_s))
    return [html.Div(w.t("catching up, {age} behind", age=age), className="trouble")]


def _reasons(view: SourcesView, w: Words) -> Any:
    if not view.reasons:
        return html.P(w.t("No record waits to be mended."), className="calm")
    rows = [html.Li([html.B(w.number(one.count)), " ", reasons.short(one.label, w)]) for one in view.reasons]
    return html.Ul(rows, className="counts")


def _rejects(rows: tuple[RejectRow, ...], snapshot: Snapshot, w: Words) -> Any:
    if not rows:
        return ""
    head = _head(REJECT_TITLES, w)
    body = html.Tbody([_reject(row, snapshot, w) for row in rows])
    return scrolling(dbc.Table([head, body], className="list"), w.t("Rejected records"))


def _reject(row: RejectRow, snapshot: Snapshot, w: Words) -> html.Tr:
    link = html.A(reasons.short(row.reason, w), href=href("/sources", w, reject=row.id))
    return html.Tr(
        [
            html.Td(w.moment(row.last_at, snapshot.at)),
            html.Th(row.source, scope="row"),
            html.Td(link),
            html.Td(row.field or MISSING),
            html.Td(w.number(row.times), className="n"),
            html.Td(row.place, className="place"),
        ]
    )


def _linked(view: SourcesView, snapshot: Snapshot, w: Words) -> Any:
    """The reject that was linked to; a link that leads nowhere says so."""
    if view.chosen is not None:
        return _chosen(view.chosen, snapshot, w)
    if view.asked is None:
        return ""
    return html.P(w.t("There is no reject {id}.", id=view.asked), className="sentence")


def _chosen(row: RejectRow, snapshot: Snapshot, w: Words) -> html.Section:
    facts = [
        (w.t("Source"), f"{row.source} ({w.t(DOORS.get(row.door, row.door))})"),
        (w.t("Where"), row.place),
        (w.t("Field"), row.field or MISSING),
        (w.t("First seen"), w.moment(row.first_at, snapshot.at)),
        (w.t("Last seen"), w.moment(row.last_at, snapshot.at)),
        (w.t("Times"), w.number(row.times)),
    ]
    if row.replayed_at is not None:
        facts.append((w.t("Taken in by replay"), w.moment(row.replayed_at, snapshot.at)))
    listed = [item for name, value in facts for item in (html.Dt(name), html.Dd(value))]
    return section(
        f"{reasons.short(row.reason, w)} · {w.t('reject {id}', id=row.id)}",
        html.P(reasons.sentence(row, w), className="sentence"),
        html.Dl(listed, className="facts-list"),
        html.H3(w.t("What came in, personal data masked")),
        html.Pre(row.raw),
        html.P(html.A(w.t("All sources"), href=href("/sources", w))),
        className="chosen",
    )


PAGE = Page(
    name="sources",
    path="/sources",
    title=msg("Sources"),
    detail=SourcesView,
    scope="city",
    wall=False,
    panels=panels,
    frame=frame,
    ranged=False,
)
