"""A small web server that some of the pretend city's applications live on; the probe checks it for real."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ingest.demo import apps
from ingest.demo.city import City


class Web:
    """Serves `/<application>/` on loopback: a page while it is up, 503 while it is down."""

    def __init__(self, city: City, port: int, now: Callable[[], float], live_from: float) -> None:
        by_name = {app.app: app for app in apps.apps(city) if app.probed}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                app = by_name.get(self.path.strip("/"))
                down = app is not None and apps.is_down(city, app, now(), live_from)
                code = 404 if app is None else 503 if down else 200
                if app is not None and not down:
                    time.sleep(app.slow / 4000)
                body = (app.name if app and not down else "tidak tersedia").encode()
                self.send_response(code)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Says nothing: the probe keeps the record."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="web", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
