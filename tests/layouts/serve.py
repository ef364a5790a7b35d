"""The pages of the sample on a port, for looking: `python -m tests.layouts.serve [port]`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

from dash import Dash, Input, Output, dcc, html

from kpis.types import Domain
from kpis.views import OpdsView
from layouts.pages import PAGES
from layouts.shell import shell
from layouts.words import words_for
from tests.layouts import views


def body(path: str, query: str) -> object:
    """One page of the sample in the language and theme its address asks for."""
    asked = {key: values[0] for key, values in parse_qs(query.lstrip("?")).items()}
    language = asked.get("lang", "id")
    for page in PAGES:
        screen = path.removeprefix("/wall/") if page.wall else ""
        if page.wall and screen in {*views.SCREENS, "long"}:
            snapshot = views.long_wall() if screen == "long" else views.wall(views.SCREENS[screen])
        elif page.path == path or (page.scope == "opd" and path.startswith("/opd/")):
            pick = next((f"{name}:{asked[name]}" for name in page.picks if name in asked), None)
            snapshot = views.SNAPSHOTS[page.name](pick=pick)
            if page.name == "opds" and pick:
                snapshot = replace(snapshot, detail=OpdsView(domain=Domain(asked["domain"])))
        else:
            continue
        theme = asked.get("theme", "dark" if page.wall else "light")
        w = words_for(language, snapshot.city.timezone)
        return shell(page, snapshot, w, page.frame(snapshot, w), language=language, theme=theme)
    return "404"


def application() -> Dash:
    """A Dash server of the sample pages with the project's own assets."""
    assets = Path(__file__).parents[2] / "assets"
    # live.js asks for a stream and keep.js for a worker, and there is neither here.
    app = Dash(
        __name__,
        assets_folder=str(assets),
        assets_ignore=r"live\.js|keep\.js|worker\.js",
        suppress_callback_exceptions=True,
    )
    app.layout = html.Div([dcc.Location(id="url"), html.Div(id="body")])

    @app.callback(Output("body", "children"), Input("url", "pathname"), Input("url", "search"))  # type: ignore[untyped-decorator]
    def render(path: str, query: str | None) -> object:
        return body(path, query or "")

    return app


if __name__ == "__main__":
    application().run(port=int(sys.argv[1]) if len(sys.argv) > 1 else 8099)
