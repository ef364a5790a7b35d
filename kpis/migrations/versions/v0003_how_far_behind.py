"""say of each source how far behind it is read"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade(_say: Callable[[str], None]) -> None:
    op.add_column("source_state", sa.Column("behind_s", sa.Integer))
