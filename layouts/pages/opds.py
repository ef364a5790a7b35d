"""All OPD: by domain with the loudest state of each, or figure by figure in one domain; worst first."""

from __future__ import annotations

from dash import html

from kpis.types import Snapshot
from kpis.views import OpdsView
from layouts.marks import href
from layouts.pages.page import Page, Panels, section, slot, with_shared
from layouts.panels.opd_matrix import DOMAIN_WORDS, domain_matrix, matrix_keys, opd_matrix
from layouts.words import Words, msg

TITLE = msg("All OPD")


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """The matrix."""
    view: OpdsView = snapshot.detail
    found = opd_matrix(snapshot, w) if view.domain is None else domain_matrix(snapshot, view.domain, w)
    return with_shared(snapshot, w, {"opd-matrix": found})


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """Title, where else one may look, the matrix with what its marks mean."""
    found = panels(snapshot, w)
    view: OpdsView = snapshot.detail
    title = w.t("OPD by domain, worst first")
    note = w.t("A small mark stands for each figure. Choose a cell to see the OPD, a domain for its figures.")
    crumb = None
    if view.domain is not None:
        title = f"{w.t(DOMAIN_WORDS[view.domain])}: {w.t('by OPD, worst first')}"
        note = w.t("Choose a figure to see it on the page of its OPD.")
        crumb = html.P(html.A(w.t("All domains"), href=href("/opd", w)), className="crumb")
    inside = [
        crumb,
        html.H1(w.t(TITLE)),
        section(title, matrix_keys(w), slot(found, "opd-matrix"), note=note),
    ]
    return html.Div([part for part in inside if part is not None], className="page")


PAGE = Page(
    name="opds",
    path="/opd",
    title=TITLE,
    detail=OpdsView,
    scope="city",
    wall=False,
    panels=panels,
    frame=frame,
    ranged=False,
    picks=("domain",),
)
