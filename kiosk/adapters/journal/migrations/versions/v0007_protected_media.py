"""Media protected with a password."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk.adapters.journal.engine import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "sendhome_jobs",
        sa.Column("password_id", sa.String(length=32), server_default="", nullable=False),
    )
    op.create_table(
        "sendhome_passwords",
        sa.Column("password_id", sa.String(length=32), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("sealed", sa.String(length=255), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("told_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("password_id", name=op.f("pk_sendhome_passwords")),
    )
    op.create_index(
        op.f("ix_sendhome_passwords_job_id"), "sendhome_passwords", ["job_id"]
    )
