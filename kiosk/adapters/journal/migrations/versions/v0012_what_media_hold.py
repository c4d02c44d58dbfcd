"""How many objects a job's media hold, by kind; of what was built before nothing is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sendhome_contents",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("others", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_sendhome_contents")),
    )
