"""Release forms that patients signed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk.adapters.journal.engine import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sendhome_release_forms",
        sa.Column("form_id", sa.String(length=16), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("file_name", sa.String(length=64), nullable=False),
        sa.Column("station", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("recipient", sa.String(length=16), nullable=False),
        sa.Column("recipient_id", sa.String(length=32), nullable=False),
        sa.Column("signed_by", sa.String(length=16), nullable=False),
        sa.Column("fee", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["sendhome_orders.order_id"],
            name=op.f("fk_sendhome_release_forms_order_id"),
        ),
        sa.PrimaryKeyConstraint("form_id", name=op.f("pk_sendhome_release_forms")),
    )
    op.create_index(
        op.f("ix_sendhome_release_forms_order_id"), "sendhome_release_forms", ["order_id"]
    )
    op.create_index(
        op.f("ix_sendhome_release_forms_signed_at"), "sendhome_release_forms", ["signed_at"]
    )
