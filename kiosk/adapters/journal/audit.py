"""The audit trail: append-only rows in the journal, each sealed together with the one before it.

A row's MAC is HMAC-SHA-256 over the MAC before it and the row's own text, so an edited, deleted,
inserted or swapped row breaks the chain from there on. Cutting off the end breaks nothing by
itself: it is found by whoever remembered a head (`AuditHead`) from before.
Rows hold ids, UIDs and codes; what patients are called stands in the orders.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import sqlalchemy as sa

from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import audit
from kiosk.errors import JournalError
from kiosk.ports import Clock

# Outcomes as in PS3.15 A.5.2 EventOutcomeIndicator.
SUCCESS, MINOR_FAILURE, SERIOUS_FAILURE = 0, 4, 8

BROKEN_AT = "the audit trail is broken at row"
_START = bytes(32)
_LOCK_KEY = 0x5E4D401  # PostgreSQL: one appender at a time in the whole site


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The newest row of a chain, to be remembered somewhere else; `seq` 0 is the empty chain."""

    seq: int
    mac: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row as read back."""

    seq: int
    at: str
    event: str
    actor: str
    subject: str
    outcome: int
    details: dict[str, str]


class AuditChain:
    """Appends inside other people's transactions, so that a fact and its audit row are one.

    Args:
        key: Kept outside of the database; who has it can forge rows.
    """

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def append(
        self,
        connection: sa.Connection,
        event: str,
        *,
        actor: str,
        subject: str,
        outcome: int = SUCCESS,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Add one row; `connection` is in a transaction of `journal.engine.writing`."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_KEY)))
        head = connection.execute(
            sa.select(audit.c.seq, audit.c.mac).order_by(audit.c.seq.desc()).limit(1)
        ).one_or_none()
        seq, before = (head.seq + 1, bytes.fromhex(head.mac)) if head else (1, _START)
        row = {
            "seq": seq,
            "at": self._clock.now().astimezone(UTC).isoformat(timespec="microseconds"),
            "event": event,
            "actor": actor,
            "subject": subject,
            "outcome": outcome,
            "details": json.dumps(dict(details or {}), sort_keys=True, ensure_ascii=False),
        }
        connection.execute(sa.insert(audit).values(**row, mac=self._seal(before, row).hex()))

    def _seal(self, before: bytes, row: Mapping[Any, Any]) -> bytes:
        text = json.dumps(
            [
                row[name]
                for name in ("seq", "at", "event", "actor", "subject", "outcome", "details")
            ],
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return hmac.new(self._key, before + text.encode(), hashlib.sha256).digest()

    def check(self, connection: sa.Connection, remembered: AuditHead | None) -> int:
        """Rows of an intact chain. Raises JournalError naming the first row that does not fit."""
        before, count = _START, 0
        remembered_seen = remembered is None or remembered.seq == 0
        query = sa.select(audit).order_by(audit.c.seq)
        with connection.execution_options(yield_per=1000).execute(query) as rows:
            for row in map(dict, rows.mappings()):
                count += 1
                mac = self._seal(before, row)
                if row["seq"] != count or not hmac.compare_digest(mac.hex(), row["mac"]):
                    raise JournalError(f"{BROKEN_AT} {count}")
                if remembered is not None and remembered.seq == count:
                    if not hmac.compare_digest(remembered.mac, row["mac"]):
                        raise JournalError(f"the audit trail was rewritten up to row {count}")
                    remembered_seen = True
                before = mac
        if not remembered_seen:
            raise JournalError(f"the audit trail was cut off after row {count}")
        return count


class JournalAudit:
    """Keeps `kiosk.ports.AuditLog` in transactions of its own."""

    def __init__(self, engine: sa.Engine, chain: AuditChain) -> None:
        self._engine = engine
        self._chain = chain

    def append(
        self, event: str, *, actor: str, subject: str, outcome: int, details: dict[str, str]
    ) -> None:
        """Raises JournalError if it cannot be kept; then nothing may be released."""
        with writing(self._engine) as connection:
            self._chain.append(
                connection, event, actor=actor, subject=subject, outcome=outcome, details=details
            )

    def verify(self, remembered: AuditHead | None = None) -> int:
        """Number of rows of an intact chain.

        Args:
            remembered: A head from before; without it a cut-off end cannot be seen.
        Raises:
            JournalError: Names the first broken row.
        """
        with reading(self._engine) as connection:
            return self._chain.check(connection, remembered)

    def head(self) -> AuditHead:
        with reading(self._engine) as connection:
            row = connection.execute(
                sa.select(audit.c.seq, audit.c.mac).order_by(audit.c.seq.desc()).limit(1)
            ).one_or_none()
        return AuditHead(row.seq, row.mac) if row else AuditHead(0, _START.hex())

    def rows(self, *, subject: str | None = None, event: str | None = None) -> Iterator[AuditRow]:
        """Oldest first."""
        query = sa.select(audit).order_by(audit.c.seq)
        if subject is not None:
            query = query.where(audit.c.subject == subject)
        if event is not None:
            query = query.where(audit.c.event == event)
        with reading(self._engine) as connection:
            found = connection.execute(query).all()
        for row in found:
            yield AuditRow(
                row.seq, row.at, row.event, row.actor, row.subject, row.outcome,
                json.loads(row.details),
            )  # fmt: skip
