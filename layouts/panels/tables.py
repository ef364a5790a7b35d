"""Tables: one that scrolls sideways inside its own box, the one behind a chart, and figures in cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from layouts.flat import Flat, flat
from layouts.words import Words


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head; `number` sets its cells flush right, as figures are compared."""

    title: str
    number: bool = False


def table(
    label: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Any]],
    *,
    kinds: Sequence[str] = (),
    first: int = 0,
) -> Flat:
    """Cells by row; the cell at `first` names its row. `kinds` are the rows' classes where they have any.

    The box takes the keyboard's focus, so that a wide table can be scrolled without a mouse.
    """
    head = html.Thead(html.Tr([html.Th(one.title, scope="col", className=_class(one)) for one in columns]))
    body = [
        html.Tr(
            [
                html.Th(cell, scope="row", className=_class(one))
                if place == first
                else html.Td(cell, className=_class(one))
                for place, (one, cell) in enumerate(zip(columns, row, strict=True))
            ],
            className=kinds[number] if kinds else None,
        )
        for number, row in enumerate(rows)
    ]
    return flat(html.Table([head, html.Tbody(body)], className="table"), "scroll", label)


def scrolling(inside: Any, label: str) -> html.Div:
    """A box that scrolls sideways when it must, and takes the keyboard's focus for that."""
    named: dict[str, Any] = {"aria-label": label}
    return html.Div(inside, className="scroll", role="region", tabIndex="0", **named)


def nothing(text: str) -> html.P:
    """The sentence that stands where there is nothing to list."""
    return html.P(text, className="nothing")


def behind(inside: Any, w: Words) -> html.Details:
    """The figures behind a chart, folded away."""
    return html.Details([html.Summary(w.t("Show as a table")), inside], className="behind")


def two_lines(first: Any, second: Any | None) -> Any:
    """A cell with small print under it."""
    if second is None:
        return first
    return html.Div([html.Div(first), html.Div(second, className="small-print")])


def gap(text: str) -> html.Span:
    """Something that should be known and is not: said in words, and hollow."""
    return html.Span(text, className="gap")


def _class(column: Column) -> str | None:
    return "num" if column.number else None
