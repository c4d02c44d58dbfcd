"""A short public number for what was placed together, to be shown on a wall; old jobs have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sendhome_wall_counter",
        sa.Column("counter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("counter_id", name=op.f("pk_sendhome_wall_counter")),
    )
    op.execute("INSERT INTO sendhome_wall_counter (counter_id, last) VALUES (1, 0)")
    op.add_column(
        "sendhome_jobs",
        sa.Column("wall_number", sa.Integer(), server_default="0", nullable=False),
    )
