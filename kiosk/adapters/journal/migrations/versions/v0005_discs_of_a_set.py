"""How many discs make one copy of a job, where one does not hold its study."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sendhome_disc_sets",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("volume_ids", sa.String(length=512), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("copies_before", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_sendhome_disc_sets")),
    )
