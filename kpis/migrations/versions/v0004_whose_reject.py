"""say of each reject whose record it is, and find an OPD's milestones by their days"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade(_say: Callable[[str], None]) -> None:
    op.add_column("reject", sa.Column("opd", sa.Text))
    op.create_index("reject_opd", "reject", ["opd", "replayed_at", "reason", "times"])
    op.create_index("milestone_due", "milestone", ["opd", "due_on"])
    op.create_index("milestone_done", "milestone", ["opd", "done_on"])
