"""What staff decided about the price of an order, until its next copy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "sendhome_orders",
        sa.Column("waiver", sa.String(length=16), nullable=False, server_default=""),
    )
