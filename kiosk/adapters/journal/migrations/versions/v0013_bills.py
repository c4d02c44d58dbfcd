"""What was agreed to be paid for jobs; of those that were placed before nothing is on record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk.adapters.journal.engine import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sendhome_bills",
        sa.Column("bill_id", sa.String(length=16), nullable=False),
        sa.Column("agreed_at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("waiver", sa.String(length=16), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bill_id", name=op.f("pk_sendhome_bills")),
    )
    op.add_column(
        "sendhome_jobs",
        sa.Column("bill_id", sa.String(length=16), server_default="", nullable=False),
    )
