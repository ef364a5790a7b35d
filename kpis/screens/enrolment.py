"""How a device becomes a screen: it asks for a code, a person assigns it, the device claims its token.

Every function works in the caller's transaction. `at` is the city's time; what is told in real time
(how long a code lives) is stretched by the speed of the city's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.errors import ScreenError
from kpis.screens.codes import digest, new_code, new_secret, spelled, typed
from kpis.screens.tables import screen_code as c
from kpis.screens.tables import screen_device as d
from kpis.store import insert, instant, lock, micros

LIFETIME = timedelta(minutes=10)
# So many codes at once are a hall full of new screens; more are somebody filling the table.
MOST_WAITING = 50
_HEALTH = (
    "heard_at", "due_at", "painted_at", "heap_bytes", "nodes", "connection", "build", "page", "width",
    "height", "scale",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A code that is shown: `screen` is the name it was assigned to, None while it was not."""

    code: str
    expires_at: datetime
    screen: str | None


def ask(conn: Connection, settings: Settings, at: datetime, secret: str) -> Waiting | None:
    """A new code for the browser that holds `secret`; None while too many others wait."""
    lock(conn, "screen")
    conn.execute(c.delete().where(c.c.expires_at <= micros(at)))
    if waiting_count(conn, at) >= MOST_WAITING:
        return None
    expires_at = at + settings.clock.span(LIFETIME)
    while True:
        code = new_code()
        row = {"code": code, "secret": digest(secret), "expires_at": micros(expires_at)}
        statement = insert(conn, c).values(row).on_conflict_do_nothing(index_elements=["code"])
        if conn.execute(statement).rowcount:
            return Waiting(code=code, expires_at=expires_at, screen=None)


def waiting(conn: Connection, at: datetime, secret: str) -> Waiting | None:
    """The code that the browser with `secret` shows; None when it has none or it expired."""
    alive = sa.and_(c.c.secret == digest(secret), c.c.expires_at > micros(at))
    row = conn.execute(sa.select(c).where(alive)).first()
    if row is None:
        return None
    return Waiting(code=row.code, expires_at=instant(row.expires_at), screen=row.screen)


def waiting_count(conn: Connection, at: datetime) -> int:
    """How many codes are shown now and belong to no screen yet."""
    alive = sa.and_(c.c.screen.is_(None), c.c.expires_at > micros(at))
    return conn.execute(sa.select(sa.func.count()).where(alive).select_from(c)).scalar_one()


def assign(conn: Connection, settings: Settings, at: datetime, text: str, screen: str) -> None:
    """Gives the code a person typed to a configured screen, once. Raises ScreenError saying why not."""
    known = [one.name for one in settings.screens]
    if screen not in known:
        names = ", ".join(known) or "none yet; add [[screen]] to config.toml"
        raise ScreenError(f"there is no screen {screen!r}; configured: {names}")
    code = typed(text)
    if code is None:
        raise ScreenError(f"{text!r} is no code; type the six letters and digits the screen shows")
    lock(conn, "screen")
    free = sa.and_(c.c.code == code, c.c.screen.is_(None), c.c.expires_at > micros(at))
    if not conn.execute(c.update().where(free).values(screen=screen)).rowcount:
        raise ScreenError(
            f"no screen shows {spelled(code)}: a code is good once and for "
            f"{LIFETIME // timedelta(minutes=1)} minutes; type the one it shows now"
        )


def claim(conn: Connection, settings: Settings, at: datetime, secret: str) -> tuple[str, str] | None:
    """The screen's name and its new token, for the browser whose code was assigned; None for others.

    Whoever held the screen before holds nothing any more. The code stays until it expires, good for
    this browser alone: a reply that was lost on the way is asked for again, and is another token.
    """
    lock(conn, "screen")
    found = waiting(conn, at, secret)
    if found is None or found.screen not in {one.name for one in settings.screens}:
        return None
    token = new_secret()
    row = {
        "screen": found.screen, "device": new_code().lower(), "token": digest(token),
        "enrolled_at": micros(at), "revoked_at": None, **dict.fromkeys(_HEALTH),
    }  # fmt: skip
    conn.execute(d.delete().where(d.c.screen == found.screen))
    conn.execute(d.insert().values(row))
    conn.execute(c.delete().where(c.c.screen == found.screen, c.c.code != found.code))
    return str(found.screen), token


def tokens(conn: Connection, settings: Settings) -> dict[str, str]:
    """The screen behind each token, by the token's digest. A screen that is configured no more has none."""
    known = {one.name for one in settings.screens}
    rows = conn.execute(sa.select(d.c.token, d.c.screen).where(d.c.token.is_not(None)))
    return {token: screen for token, screen in rows if screen in known}


def revoke(conn: Connection, at: datetime, which: str) -> str:
    """Takes the token of a screen, given by its name or its device's id; gives its name back.

    Raises ScreenError when no enrolled screen is meant.
    """
    lock(conn, "screen")
    mine = sa.and_(sa.or_(d.c.screen == which, d.c.device == which.lower()), d.c.token.is_not(None))
    name = conn.execute(sa.select(d.c.screen).where(mine)).scalar()
    if name is None:
        raise ScreenError(f"no enrolled screen is called {which!r}; `./run screen list` shows them")
    conn.execute(d.update().where(d.c.screen == name).values(token=None, revoked_at=micros(at)))
    conn.execute(c.delete().where(c.c.screen == name))
    return str(name)
