"""Blanks in stock for each drive, and what became of those that it took; counted from now on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk.adapters.journal.engine import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sendhome_drive_counts",
        sa.Column("station", sa.String(length=64), nullable=False),
        sa.Column("drive", sa.String(length=64), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("spoiled", sa.Integer(), nullable=False),
        sa.Column("in_stock", sa.Integer(), nullable=True),
        sa.Column("counted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("station", "drive", name=op.f("pk_sendhome_drive_counts")),
    )
