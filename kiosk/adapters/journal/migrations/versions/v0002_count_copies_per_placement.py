"""Copies count for the placement that they were made for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "sendhome_jobs",
        sa.Column("delivered_before", sa.Integer(), server_default="0", nullable=False),
    )
