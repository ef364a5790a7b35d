"""A page as Dash serves it when left alone: `python -m benchmarks.pages_peer PAGE --config FILE --port N`.

The same components of the same figures, every library's scripts, nothing compressed, nothing live.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import dash_bootstrap_components as dbc
from dash import Dash, dcc, html

from dashboard.snapshot import Key, Snapshots
from dashboard.tables import Tables
from kpis.config import load
from kpis.store import open_store
from layouts.pages import PAGES
from layouts.shell import shell
from layouts.words import words_for

_ASSETS = Path(__file__).resolve().parent.parent / "assets"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("page")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--port", type=int)
    asked = parser.parse_args()
    settings = load(asked.config)
    page = next(page for page in PAGES if page.name == asked.page)
    with open_store(settings) as store:
        snapshots = Snapshots(Tables(settings, store))

        def layout() -> Any:
            snapshot = asyncio.run(snapshots.get(Key(page.name)))
            words = words_for(settings.language, settings.city.timezone)
            frame = page.frame(snapshot, words)
            whole = shell(page, snapshot, words, frame, language=settings.language, theme="light")
            return html.Div([dcc.Location(id="url"), dbc.Container(whole, fluid=True)])

        app = Dash("peer", assets_folder=str(_ASSETS), assets_ignore=r"live\.js|worker")
        app.layout = layout
        app.run(port=asked.port)


if __name__ == "__main__":
    main()
