"""The journal's tables. All names begin with PREFIX: the engine's own stand in the same database.

What a row means is said by the dataclasses of `kiosk.domain` and `kiosk.ports`.
"""

from __future__ import annotations

import sqlalchemy as sa

from kiosk.adapters.journal.engine import UtcDateTime

PREFIX = "sendhome_"
VERSION_TABLE = f"{PREFIX}version"

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

orders = sa.Table(
    f"{PREFIX}orders",
    metadata,
    sa.Column("order_id", sa.String(36), primary_key=True),
    sa.Column("patient_id", sa.String(64), nullable=False),
    sa.Column("issuer", sa.String(64), nullable=False),
    sa.Column("name", sa.String(400), nullable=False),
    sa.Column("birth_date", sa.String(8), nullable=False),
    sa.Column("accession_number", sa.String(16), nullable=False, index=True),
    sa.Column("study_instance_uid", sa.String(64), nullable=False),
    sa.Column("modality", sa.String(16), nullable=False),
    sa.Column("study_date", sa.String(8), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("with_report", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("visit_number", sa.String(32), nullable=False, server_default=""),
    sa.Column("phone_digits", sa.String(4), nullable=False, server_default=""),
    sa.Column("postcode", sa.String(10), nullable=False, server_default=""),
    sa.Column("send_home", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("desk_only", sa.String(16), nullable=False, server_default=""),
    sa.Column("waiver", sa.String(16), nullable=False, server_default=""),
    sa.Index(f"ix_{PREFIX}orders_state_birth_date", "state", "birth_date"),
    sa.Index(f"ix_{PREFIX}orders_state_created_at", "state", "created_at"),
)

tickets = sa.Table(
    f"{PREFIX}tickets",
    metadata,
    sa.Column("ticket_id", sa.String(64), primary_key=True),
    sa.Column("secret_hash", sa.String(128), nullable=False, unique=True),
    sa.Column("order_id", sa.ForeignKey(orders.c.order_id), nullable=False, index=True),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("voided_at", UtcDateTime),  # a later ticket of the same order took its place
)

kiosk_failures = sa.Table(
    f"{PREFIX}kiosk_failures",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kiosk", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    # Of the one that staff were alerted at.
    sa.Column("has_alerted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(f"ix_{PREFIX}kiosk_failures_kiosk_at", "kiosk", "at"),
)

# Wrong tries at what is no ticket: a number, a card, an order. Keyed hashes, also of what nobody
# knows: whether it is known must not show in what becomes of it.
claim_tries = sa.Table(
    f"{PREFIX}claim_tries",
    metadata,
    sa.Column("claim_key", sa.String(64), primary_key=True),
    sa.Column("order_id", sa.String(36), nullable=False, index=True),  # "" if it led to none
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

jobs = sa.Table(
    f"{PREFIX}jobs",
    metadata,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("order_id", sa.ForeignKey(orders.c.order_id), nullable=False),
    sa.Column("medium", sa.String(16), nullable=False),
    sa.Column("copies", sa.Integer, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("station", sa.String(64), nullable=False, index=True),
    sa.Column("status", sa.String(16), nullable=False, index=True),
    sa.Column("status_info", sa.String(32), nullable=False),
    sa.Column("error_code", sa.String(64), nullable=False),
    # One workflow of the engine each: a job is run again after a failure or if the engine lost it.
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("rescues", sa.Integer, nullable=False),
    sa.Column("cancelled_at", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False, index=True),
    sa.Column("ended_at", UtcDateTime),
    # Copies handed over when it was placed last: they count for what was placed before.
    sa.Column("delivered_before", sa.Integer, nullable=False, server_default="0"),
    sa.Column("hand_over", sa.String(16), nullable=False, server_default="at_once"),
    # Of the media as it was placed last, "" if they are not protected.
    sa.Column("password_id", sa.String(32), nullable=False, server_default=""),
    sa.Column("images_only", sa.Boolean, nullable=False, server_default=sa.false()),
    # Of what was placed together last, "" if nobody was shown one.
    sa.Column("bill_id", sa.String(16), nullable=False, server_default=""),
    # Public, of what a visitor placed together last; 0 for what staff place.
    sa.Column("wall_number", sa.Integer, nullable=False, server_default="0"),
)

# One row: the number given last.
wall_counter = sa.Table(
    f"{PREFIX}wall_counter",
    metadata,
    sa.Column("counter_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("last", sa.Integer, nullable=False),
)

# As it was agreed to; `lines` is JSON: item, quantity, amount in the currency's smallest unit.
bills = sa.Table(
    f"{PREFIX}bills",
    metadata,
    sa.Column("bill_id", sa.String(16), primary_key=True),
    sa.Column("agreed_at", UtcDateTime, nullable=False),
    sa.Column("exams", sa.Integer),  # null in rows of earlier versions
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("method", sa.String(16), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("waiver", sa.String(16), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("lines", sa.Text, nullable=False),
)

passwords = sa.Table(
    f"{PREFIX}passwords",
    metadata,
    sa.Column("password_id", sa.String(32), primary_key=True),
    sa.Column("job_id", sa.String(36), nullable=False, index=True),
    sa.Column("sealed", sa.String(255), nullable=False),  # with a key that is not in here
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("told_at", UtcDateTime),
)

progress = sa.Table(
    f"{PREFIX}progress",
    metadata,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("step", sa.String(16), nullable=False),
    sa.Column("done", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("note", sa.String(64), nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

# The newest of each station, step and kind.
step_times = sa.Table(
    f"{PREFIX}step_times",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("station", sa.String(64), nullable=False),
    sa.Column("step", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

questions = sa.Table(
    f"{PREFIX}questions",
    metadata,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("wanted", sa.String(32), nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("closed_at", UtcDateTime),
)

presence = sa.Table(
    f"{PREFIX}presence",
    metadata,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("seen_at", UtcDateTime, nullable=False),
)

staff_calls = sa.Table(
    f"{PREFIX}staff_calls",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kiosk", sa.String(64), nullable=False),
    sa.Column("shown", sa.String(64), nullable=False),  # the screen; nothing of a person
    sa.Column("called_at", UtcDateTime, nullable=False),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("answered_by", sa.String(128), nullable=False),
)

ledger = sa.Table(
    f"{PREFIX}ledger",
    metadata,
    sa.Column("station", sa.String(64), primary_key=True),
    sa.Column("drive", sa.String(64), primary_key=True),
    sa.Column("job_id", sa.String(36), nullable=False),
    sa.Column("phase", sa.String(16), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("volume_id", sa.String(32), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

drive_counts = sa.Table(
    f"{PREFIX}drive_counts",
    metadata,
    sa.Column("station", sa.String(64), primary_key=True),
    sa.Column("drive", sa.String(64), primary_key=True),
    sa.Column("begun", sa.Integer, nullable=False),
    sa.Column("good", sa.Integer, nullable=False),
    sa.Column("spoiled", sa.Integer, nullable=False),
    sa.Column("in_stock", sa.Integer),  # null if nobody has counted
    sa.Column("counted_at", UtcDateTime),
)
media = sa.Table(
    f"{PREFIX}media",
    metadata,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("station", sa.String(64), primary_key=True),
    sa.Column("drive", sa.String(64), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("volume_id", sa.String(32), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("begun_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

audit = sa.Table(
    f"{PREFIX}audit",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(40), nullable=False),  # exactly as it went into the MAC
    sa.Column("event", sa.String(64), nullable=False),
    sa.Column("actor", sa.String(128), nullable=False),
    sa.Column("subject", sa.String(128), nullable=False, index=True),
    sa.Column("outcome", sa.Integer, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
)

# A row only if something is not on the medium; what the medium lacks stays on record.
left_out = sa.Table(
    f"{PREFIX}left_out",
    metadata,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("videos", sa.Integer, nullable=False),
    sa.Column("images", sa.Integer, nullable=False),
    sa.Column("others", sa.Integer, nullable=False),
)

# Of the newest build, one copy; no row before the first.
contents = sa.Table(
    f"{PREFIX}contents",
    metadata,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("images", sa.Integer, nullable=False),
    sa.Column("reports", sa.Integer, nullable=False),
    sa.Column("others", sa.Integer, nullable=False),
)

# A row only if one medium does not hold the study, or once did not.
disc_sets = sa.Table(
    f"{PREFIX}disc_sets",
    metadata,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("volume_ids", sa.String(512), nullable=False),  # 35 of 11 characters at most
    sa.Column("since", sa.Integer, nullable=False),
    sa.Column("copies_before", sa.Integer, nullable=False),
)

# Handed in from outside; the files are in the state folder of `station`.
reports = sa.Table(
    f"{PREFIX}reports",
    metadata,
    sa.Column("order_id", sa.ForeignKey(orders.c.order_id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("file_name", sa.String(64), nullable=False),
    sa.Column("station", sa.String(64), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("title", sa.String(64), nullable=False),
    sa.Column("is_preliminary", sa.Boolean, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
)

# Signed by patients; the files are in the state folder of `station`.
release_forms = sa.Table(
    f"{PREFIX}release_forms",
    metadata,
    sa.Column("form_id", sa.String(16), primary_key=True),
    sa.Column("order_id", sa.ForeignKey(orders.c.order_id), nullable=False, index=True),
    sa.Column("file_name", sa.String(64), nullable=False),
    sa.Column("station", sa.String(64), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("recipient", sa.String(16), nullable=False),
    sa.Column("recipient_id", sa.String(32), nullable=False),
    sa.Column("signed_by", sa.String(16), nullable=False),
    sa.Column("fee", sa.Integer, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("signed_at", UtcDateTime, nullable=False, index=True),
)

# All that a form covers, its own `order_id` at place 0.
form_orders = sa.Table(
    f"{PREFIX}form_orders",
    metadata,
    sa.Column("form_id", sa.ForeignKey(release_forms.c.form_id), primary_key=True),
    sa.Column("order_id", sa.ForeignKey(orders.c.order_id), primary_key=True, index=True),
    sa.Column("place", sa.Integer, nullable=False),
)

stations = sa.Table(
    f"{PREFIX}stations",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("beat_at", UtcDateTime, nullable=False),
    sa.Column("moved_to", sa.String(64), nullable=False),  # who took its work, "" if it lives
)
