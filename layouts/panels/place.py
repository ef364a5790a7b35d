"""An OPD's place among the others, and who leads: nobody is put at the end of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from kpis.ranks import FEW_FIGURES, Place
from kpis.types import Snapshot
from kpis.views import OpdView
from layouts.marks import short
from layouts.words import Words, msg

QUARTERS = {
    1: msg("in the first quarter"),
    2: msg("in the second quarter"),
    3: msg("in the third quarter"),
    4: msg("in the fourth quarter"),
}
_NAMED = 3


def place_panel(snapshot: Snapshot, view: OpdView, w: Words) -> list[Any]:
    """The place with what it stands on, what became of it in a month, then the best and most improved."""
    return [
        *_own(view.place, w),
        html.P(_gained(view.place, w), className="note"),
        html.Dl(
            [
                *_leaders(w.t("Most targets met"), view.best, snapshot, w, _met),
                *_leaders(w.t("Most improved in 30 days"), view.improved, snapshot, w, _more),
            ],
            className="leaders",
        ),
        html.P(
            w.t(
                "{n} of {all} OPD reporting enough to be compared.",
                n=w.number(view.ranked),
                all=w.number(len(snapshot.city.opds)),
            ),
            className="note",
        ),
    ]


def _own(place: Place, w: Words) -> list[Any]:
    met = _met(place, w)
    if place.place is None or place.quarter is None:
        few = w.t("No place: fewer than {n} current figures to judge by.", n=FEW_FIGURES)
        return [html.P(few, className="sentence"), html.P(met, className="note")]
    where: list[Any] = [
        html.B(w.t("Place {n} of {all}", n=w.number(place.place), all=w.number(place.of))),
        ", " + w.t(QUARTERS[place.quarter]),
    ]
    if place.tied:
        where.append(", " + w.t("with {n} others", n=w.number(place.tied)))
    return [html.P(where, className="sentence"), html.P(met)]


def _met(place: Place, w: Words) -> str:
    return w.t("{n} of {all} targets met", n=w.number(place.met), all=w.number(place.judged))


def _more(place: Place, w: Words) -> str:
    return w.t("{n} more targets met", n=w.number(place.gained))


def _gained(place: Place, w: Words) -> str:
    if place.gained is None:
        return w.t("No figures of 30 days ago yet to compare with.")
    all_ = w.number(place.compared)
    if place.gained > 0:
        return w.t("{n} more than 30 days ago, of {all} compared.", n=w.number(place.gained), all=all_)
    if place.gained < 0:
        return w.t("{n} fewer than 30 days ago, of {all} compared.", n=w.number(-place.gained), all=all_)
    return w.t("As many as 30 days ago, of {all} compared.", all=all_)


def _leaders(title: str, places: Sequence[Place], snapshot: Snapshot, w: Words, told: Any) -> list[Any]:
    if not places:
        return [html.Dt(title), html.Dd(w.t("nobody yet"))]
    names = ", ".join(short(snapshot, p.opd) for p in places[:_NAMED])
    if len(places) > _NAMED:
        names += " " + w.t("+{n} more", n=w.number(len(places) - _NAMED))
    return [html.Dt(title), html.Dd([html.B(names), ": ", told(places[0], w)])]
