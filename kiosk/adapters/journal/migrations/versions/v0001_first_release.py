"""The journal as first released."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiosk.adapters.journal.engine import UtcDateTime

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('sendhome_audit',
    sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at', sa.String(length=40), nullable=False),
    sa.Column('event', sa.String(length=64), nullable=False),
    sa.Column('actor', sa.String(length=128), nullable=False),
    sa.Column('subject', sa.String(length=128), nullable=False),
    sa.Column('outcome', sa.Integer(), nullable=False),
    sa.Column('details', sa.Text(), nullable=False),
    sa.Column('mac', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_sendhome_audit'))
    )
    op.create_index(op.f('ix_sendhome_audit_subject'), 'sendhome_audit', ['subject'], unique=False)
    op.create_table('sendhome_kiosk_failures',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('kiosk', sa.String(length=64), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sendhome_kiosk_failures'))
    )
    op.create_index('ix_sendhome_kiosk_failures_kiosk_at', 'sendhome_kiosk_failures', ['kiosk', 'at'], unique=False)
    op.create_table('sendhome_ledger',
    sa.Column('station', sa.String(length=64), nullable=False),
    sa.Column('drive', sa.String(length=64), nullable=False),
    sa.Column('job_id', sa.String(length=36), nullable=False),
    sa.Column('phase', sa.String(length=16), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('volume_id', sa.String(length=32), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('station', 'drive', name=op.f('pk_sendhome_ledger'))
    )
    op.create_table('sendhome_media',
    sa.Column('job_id', sa.String(length=36), nullable=False),
    sa.Column('station', sa.String(length=64), nullable=False),
    sa.Column('drive', sa.String(length=64), nullable=False),
    sa.Column('attempt', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('volume_id', sa.String(length=32), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('begun_at', UtcDateTime(), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('job_id', 'station', 'drive', 'attempt', name=op.f('pk_sendhome_media'))
    )
    op.create_table('sendhome_orders',
    sa.Column('order_id', sa.String(length=36), nullable=False),
    sa.Column('patient_id', sa.String(length=64), nullable=False),
    sa.Column('issuer', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=400), nullable=False),
    sa.Column('birth_date', sa.String(length=8), nullable=False),
    sa.Column('accession_number', sa.String(length=16), nullable=False),
    sa.Column('study_instance_uid', sa.String(length=64), nullable=False),
    sa.Column('modality', sa.String(length=16), nullable=False),
    sa.Column('study_date', sa.String(length=8), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('with_report', sa.Boolean(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('order_id', name=op.f('pk_sendhome_orders'))
    )
    op.create_index(op.f('ix_sendhome_orders_accession_number'), 'sendhome_orders', ['accession_number'], unique=False)
    op.create_index('ix_sendhome_orders_state_birth_date', 'sendhome_orders', ['state', 'birth_date'], unique=False)
    op.create_table('sendhome_progress',
    sa.Column('job_id', sa.String(length=36), nullable=False),
    sa.Column('step', sa.String(length=16), nullable=False),
    sa.Column('done', sa.BigInteger(), nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=False),
    sa.Column('note', sa.String(length=64), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('job_id', name=op.f('pk_sendhome_progress'))
    )
    op.create_table('sendhome_questions',
    sa.Column('job_id', sa.String(length=36), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('wanted', sa.String(length=32), nullable=False),
    sa.Column('asked_at', UtcDateTime(), nullable=False),
    sa.Column('answered_at', UtcDateTime(), nullable=True),
    sa.Column('closed_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('job_id', 'number', name=op.f('pk_sendhome_questions'))
    )
    op.create_table('sendhome_stations',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('beat_at', UtcDateTime(), nullable=False),
    sa.Column('moved_to', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_sendhome_stations'))
    )
    op.create_table('sendhome_jobs',
    sa.Column('job_id', sa.String(length=36), nullable=False),
    sa.Column('order_id', sa.String(length=36), nullable=False),
    sa.Column('medium', sa.String(length=16), nullable=False),
    sa.Column('copies', sa.Integer(), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('station', sa.String(length=64), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('status_info', sa.String(length=32), nullable=False),
    sa.Column('error_code', sa.String(length=64), nullable=False),
    sa.Column('run', sa.Integer(), nullable=False),
    sa.Column('rescues', sa.Integer(), nullable=False),
    sa.Column('cancelled_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['order_id'], ['sendhome_orders.order_id'], name=op.f('fk_sendhome_jobs_order_id')),
    sa.PrimaryKeyConstraint('job_id', name=op.f('pk_sendhome_jobs'))
    )
    op.create_index(op.f('ix_sendhome_jobs_created_at'), 'sendhome_jobs', ['created_at'], unique=False)
    op.create_index(op.f('ix_sendhome_jobs_station'), 'sendhome_jobs', ['station'], unique=False)
    op.create_index(op.f('ix_sendhome_jobs_status'), 'sendhome_jobs', ['status'], unique=False)
    op.create_table('sendhome_tickets',
    sa.Column('ticket_id', sa.String(length=64), nullable=False),
    sa.Column('secret_hash', sa.String(length=128), nullable=False),
    sa.Column('order_id', sa.String(length=36), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('used_at', UtcDateTime(), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('voided_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['order_id'], ['sendhome_orders.order_id'], name=op.f('fk_sendhome_tickets_order_id')),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_sendhome_tickets')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_sendhome_tickets_secret_hash'))
    )
    op.create_index(op.f('ix_sendhome_tickets_order_id'), 'sendhome_tickets', ['order_id'], unique=False)
