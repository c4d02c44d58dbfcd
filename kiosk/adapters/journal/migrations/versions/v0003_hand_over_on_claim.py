"""Who waits for a medium: how it is handed over, and whose visit shows at a kiosk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk.adapters.journal.engine import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "sendhome_jobs",
        sa.Column("hand_over", sa.String(length=16), server_default="at_once", nullable=False),
    )
    op.create_table(
        "sendhome_presence",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_sendhome_presence")),
    )
