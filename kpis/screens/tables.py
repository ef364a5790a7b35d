"""Two small tables: the codes that wait to be assigned, and one row per screen."""

from __future__ import annotations

import sqlalchemy as sa

from kpis.store import metadata

# A row lives as long as its code. `secret` is the digest of what the waiting browser holds, `screen`
# the name the code was assigned to, NULL while nobody has.
screen_code = sa.Table(
    "screen_code",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("secret", sa.Text, nullable=False, unique=True),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("screen", sa.Text),
)

# A screen that is enrolled anew replaces its row, a report overwrites it: the table never outgrows the
# configured screens. `token` is a digest, NULL once it was revoked. `due_at` is the newest change that
# reached the screen, `painted_at` the newest that it has shown, both in the city's time.
screen_device = sa.Table(
    "screen_device",
    metadata,
    sa.Column("screen", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, nullable=False, unique=True),
    sa.Column("token", sa.Text, unique=True),
    sa.Column("enrolled_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
    sa.Column("heard_at", sa.BigInteger),
    sa.Column("due_at", sa.BigInteger),
    sa.Column("painted_at", sa.BigInteger),
    sa.Column("heap_bytes", sa.BigInteger),
    sa.Column("nodes", sa.Integer),
    sa.Column("connection", sa.Text),
    sa.Column("build", sa.Text),
    sa.Column("page", sa.Text),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("scale", sa.Float(53)),
)
