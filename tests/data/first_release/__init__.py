"""Stores as the first release made them."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import psycopg2

_FOLDER = Path(__file__).parent


def _dump(name: str) -> str:
    return gzip.decompress((_FOLDER / name).read_bytes()).decode()


def restore(url: str) -> None:
    """Makes the empty store behind an URL the one that the first release left."""
    if url.startswith("sqlite:///"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.executescript(_dump("sqlite.sql.gz"))
        connection.close()
        return
    with psycopg2.connect(url.replace("+psycopg2", "")) as server, server.cursor() as cursor:
        cursor.execute(_dump("postgres.sql.gz"))
    server.close()
