"""Claim tickets, of which only hashes are kept, and the wrong tries that survive a restart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kiosk.adapters.journal.audit import AuditChain
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import claim_tries, kiosk_failures, orders, tickets
from kiosk.domain.model import OrderId
from kiosk.errors import UnknownOrderError
from kiosk.ports import ClaimRecord, Clock

_KEEP_FAILURES = timedelta(days=7)
_KEEP_TRIES = timedelta(days=30)  # longer than the kiosk hands any order out


class JournalTickets:
    """Keeps `kiosk.ports.Tickets`."""

    def __init__(self, engine: sa.Engine, chain: AuditChain, clock: Clock) -> None:
        self._engine = engine
        self._chain = chain
        self._clock = clock

    def add(self, record: ClaimRecord, *, actor: str) -> None:
        """Voids an earlier ticket of the same order."""
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(tickets)
                .where(tickets.c.order_id == record.order_id, tickets.c.voided_at.is_(None))
                .values(voided_at=self._clock.now())
            )
            connection.execute(
                sa.insert(tickets).values(
                    ticket_id=record.ticket_id,
                    secret_hash=record.secret_hash,
                    order_id=record.order_id,
                    expires_at=record.expires_at,
                    used_at=record.used_at,
                    failures=record.failures,
                )
            )
            self._chain.append(
                connection,
                "ticket.issued",
                actor=actor,
                subject=record.order_id,
                details={"ticket": record.ticket_id},
            )

    def find(self, secret_hash: str) -> ClaimRecord | None:
        """The ticket, used, expired and locked ones too; a voided one is none."""
        with reading(self._engine) as connection:
            row = connection.execute(
                sa.select(tickets).where(
                    tickets.c.secret_hash == secret_hash, tickets.c.voided_at.is_(None)
                )
            ).one_or_none()
        if row is None:
            return None
        return ClaimRecord(
            ticket_id=row.ticket_id,
            secret_hash=row.secret_hash,
            order_id=OrderId(row.order_id),
            expires_at=row.expires_at,
            used_at=row.used_at,
            failures=row.failures,
        )

    def count_failure(
        self,
        ticket_id: str | None,
        kiosk: str,
        at: datetime,
        *,
        claims: Sequence[str] = (),
        order_id: OrderId | None = None,
    ) -> None:
        with writing(self._engine) as connection:
            connection.execute(sa.insert(kiosk_failures).values(kiosk=kiosk, at=at))
            connection.execute(
                sa.delete(kiosk_failures).where(kiosk_failures.c.at < at - _KEEP_FAILURES)
            )
            if ticket_id is not None:
                connection.execute(
                    sa.update(tickets)
                    .where(tickets.c.ticket_id == ticket_id)
                    .values(failures=tickets.c.failures + 1)
                )
            for key in claims:
                _count_claim(connection, key, order_id, at)

    def claim_failures(self, claims: Sequence[str]) -> int:
        with reading(self._engine) as connection:
            return (
                connection.scalar(
                    sa.select(sa.func.max(claim_tries.c.failures)).where(
                        claim_tries.c.claim_key.in_(claims)
                    )
                )
                or 0
            )

    def failures_since(self, kiosk: str, since: datetime) -> int:
        with reading(self._engine) as connection:
            return (
                connection.scalar(
                    sa.select(sa.func.count())
                    .select_from(kiosk_failures)
                    .where(kiosk_failures.c.kiosk == kiosk, kiosk_failures.c.at >= since)
                )
                or 0
            )

    def note_alert(self, kiosk: str) -> None:
        newest = (
            sa.select(sa.func.max(kiosk_failures.c.id))
            .where(kiosk_failures.c.kiosk == kiosk)
            .scalar_subquery()
        )
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(kiosk_failures)
                .where(kiosk_failures.c.id == newest)
                .values(has_alerted=True)
            )

    def has_alerted_since(self, kiosk: str, since: datetime) -> bool:
        with reading(self._engine) as connection:
            found = connection.execute(
                sa.select(kiosk_failures.c.id)
                .where(
                    kiosk_failures.c.kiosk == kiosk,
                    kiosk_failures.c.at >= since,
                    kiosk_failures.c.has_alerted.is_(sa.true()),
                )
                .limit(1)
            )
            return found.first() is not None

    def mark_used(self, ticket_id: str, at: datetime) -> None:
        """The first use counts; later calls change nothing."""
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(tickets)
                .where(tickets.c.ticket_id == ticket_id, tickets.c.used_at.is_(None))
                .values(used_at=at)
            )

    def unlock(self, ticket_id: str, *, actor: str) -> None:
        """Staff allow new tries. Raises UnknownOrderError if there is no such ticket."""
        with writing(self._engine) as connection:
            order_id = connection.scalar(
                sa.select(tickets.c.order_id).where(tickets.c.ticket_id == ticket_id)
            )
            if order_id is None:
                raise UnknownOrderError("no such ticket")
            connection.execute(
                sa.update(tickets).where(tickets.c.ticket_id == ticket_id).values(failures=0)
            )
            self._chain.append(
                connection,
                "ticket.unlocked",
                actor=actor,
                subject=order_id,
                details={"ticket": ticket_id},
            )

    def unlock_order(self, order_id: OrderId, claims: Sequence[str], *, actor: str) -> int:
        """Raises UnknownOrderError."""
        with writing(self._engine) as connection:
            known = connection.scalar(
                sa.select(orders.c.order_id).where(orders.c.order_id == order_id)
            )
            if known is None:
                raise UnknownOrderError(f"no order {order_id}")
            opened = connection.execute(
                sa.update(tickets)
                .where(tickets.c.order_id == order_id, tickets.c.failures > 0)
                .values(failures=0)
            )
            forgotten = connection.execute(
                sa.delete(claim_tries).where(
                    sa.or_(claim_tries.c.order_id == order_id, claim_tries.c.claim_key.in_(claims))
                )
            )
            count = opened.rowcount + forgotten.rowcount
            self._chain.append(
                connection,
                "claim.unlocked",
                actor=actor,
                subject=order_id,
                details={"counters": str(count)},
            )
        return count


def _count_claim(
    connection: sa.Connection, key: str, order_id: OrderId | None, at: datetime
) -> None:
    """One more wrong try, and those that nobody has tried for long go."""
    connection.execute(sa.delete(claim_tries).where(claim_tries.c.updated_at < at - _KEEP_TRIES))
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    made = insert(claim_tries).values(
        claim_key=key, order_id=order_id or "", failures=1, updated_at=at
    )
    changes: dict[str, Any] = {"failures": claim_tries.c.failures + 1, "updated_at": at}
    if order_id is not None:
        changes["order_id"] = order_id
    connection.execute(made.on_conflict_do_update(index_elements=["claim_key"], set_=changes))
