"""find milestones by the day they are due"""

from __future__ import annotations

from collections.abc import Callable

from alembic import op

revision = "5"
down_revision = "4"


def upgrade(_say: Callable[[str], None]) -> None:
    op.create_index("milestone_by_day", "milestone", ["due_on"])
