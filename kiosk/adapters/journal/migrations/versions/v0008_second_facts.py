"""Second facts and marks of orders; tries at claims that are no tickets; jobs of images alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk.adapters.journal.engine import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TEXTS = (("visit_number", 32), ("phone_digits", 4), ("postcode", 10), ("desk_only", 16))


def upgrade() -> None:
    for name, length in _TEXTS:
        op.add_column(
            "sendhome_orders",
            sa.Column(name, sa.String(length=length), server_default="", nullable=False),
        )
    op.add_column(
        "sendhome_orders",
        sa.Column("send_home", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(
        "sendhome_jobs",
        sa.Column("images_only", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_index(
        "ix_sendhome_orders_state_created_at", "sendhome_orders", ["state", "created_at"]
    )
    op.add_column(
        "sendhome_kiosk_failures",
        sa.Column("has_alerted", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "sendhome_claim_tries",
        sa.Column("claim_key", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("claim_key", name=op.f("pk_sendhome_claim_tries")),
    )
    op.create_index(
        op.f("ix_sendhome_claim_tries_order_id"), "sendhome_claim_tries", ["order_id"]
    )
