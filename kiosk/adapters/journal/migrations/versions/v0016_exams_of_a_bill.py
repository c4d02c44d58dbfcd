"""For how many exams a price was agreed to; of earlier bills it is counted by their jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sendhome_bills", sa.Column("exams", sa.Integer(), nullable=True))
