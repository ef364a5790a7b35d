"""The application inventory: what config.toml names, what was imported, and what was only ever checked."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.app_uptime.tables import application as a
from kpis.app_uptime.tables import checked_apps
from kpis.config import Application, Maintenance, Settings
from kpis.sources import source_state


def inventory(conn: Connection, settings: Settings) -> tuple[Application, ...]:
    """Every application known, by `app`. config.toml wins over an import, the newest import over older
    ones; an application that is checked without being registered stands here with its gaps."""
    found: dict[str, Application] = {}
    apps = checked_apps()
    for app in conn.execute(sa.select(apps.c.app).where(apps.c.app.is_not(None))).scalars():
        found[app] = Application(app=app, name=app, opd=None, owner=None, url=None, hosting=None, probe=False)
    known = {opd.code for opd in settings.city.opds}
    # An address that came by MQTT is shown and not called: whoever may publish must not choose whom we ask.
    s = source_state
    query = sa.select(a.c.app, a.c.name, a.c.opd, a.c.owner, a.c.url, a.c.hosting, s.c.door)
    query = query.join(s, s.c.source == a.c.source, isouter=True)
    for row in conn.execute(query.order_by(a.c.updated_at, a.c.source, a.c.id)):
        found[row.app] = Application(
            app=row.app,
            name=row.name or row.app,
            opd=row.opd if row.opd in known else None,
            owner=row.owner,
            url=row.url,
            hosting=row.hosting,
            probe=row.url is not None and row.door in ("file", "database"),
        )
    for application in settings.applications:
        found[application.app] = application
    return tuple(found[app] for app in sorted(found))


def in_maintenance(settings: Settings, at: datetime) -> dict[str, Maintenance]:
    """Declared maintenance that covers `at`, by application."""
    return {m.app: m for m in settings.maintenance if m.starts_at <= at < m.ends_at}
