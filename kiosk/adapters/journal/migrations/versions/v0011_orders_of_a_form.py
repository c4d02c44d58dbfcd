"""All orders that a release form covers; of those signed before only the first one is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sendhome_form_orders",
        sa.Column("form_id", sa.String(length=16), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["form_id"],
            ["sendhome_release_forms.form_id"],
            name=op.f("fk_sendhome_form_orders_form_id"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["sendhome_orders.order_id"],
            name=op.f("fk_sendhome_form_orders_order_id"),
        ),
        sa.PrimaryKeyConstraint("form_id", "order_id", name=op.f("pk_sendhome_form_orders")),
    )
    op.create_index(op.f("ix_sendhome_form_orders_order_id"), "sendhome_form_orders", ["order_id"])
    op.execute(
        "INSERT INTO sendhome_form_orders (form_id, order_id, place)"
        " SELECT form_id, order_id, 0 FROM sendhome_release_forms"
    )
