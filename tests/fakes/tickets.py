"""Claim tickets and refusals, in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from kiosk.domain.model import OrderId
from kiosk.ports import ClaimRecord


class FakeTickets:
    """Keeps the `Tickets` port. Hand the same one to a new service to play a restart."""

    def __init__(self) -> None:
        self.rows: dict[str, ClaimRecord] = {}  # by secret hash
        self.refusals: list[tuple[str | None, str, datetime]] = []
        self.tries: dict[str, tuple[int, OrderId | None]] = {}  # by key of a claim
        self.alerts: list[tuple[str, datetime]] = []

    def add(self, record: ClaimRecord, *, actor: str) -> None:
        self.rows = {k: it for k, it in self.rows.items() if it.order_id != record.order_id}
        self.rows[record.secret_hash] = record

    def find(self, secret_hash: str) -> ClaimRecord | None:
        return self.rows.get(secret_hash)

    def count_failure(
        self,
        ticket_id: str | None,
        kiosk: str,
        at: datetime,
        *,
        claims: Sequence[str] = (),
        order_id: OrderId | None = None,
    ) -> None:
        self.refusals.append((ticket_id, kiosk, at))
        for key, record in self.rows.items():
            if record.ticket_id == ticket_id:
                self.rows[key] = dataclasses.replace(record, failures=record.failures + 1)

        for key in claims:
            failures, led_to = self.tries.get(key, (0, None))
            self.tries[key] = (failures + 1, order_id or led_to)

    def claim_failures(self, claims: Sequence[str]) -> int:
        return max((self.tries.get(key, (0, None))[0] for key in claims), default=0)

    def note_alert(self, kiosk: str) -> None:
        self.alerts.append((kiosk, self.refusals[-1][2]))

    def has_alerted_since(self, kiosk: str, since: datetime) -> bool:
        return any(where == kiosk and at >= since for where, at in self.alerts)

    def unlock_order(self, order_id: OrderId, claims: Sequence[str], *, actor: str) -> int:
        count = 0
        for key, record in self.rows.items():
            if record.order_id == order_id and record.failures:
                self.rows[key] = dataclasses.replace(record, failures=0)
                count += 1
        for key, (_, led_to) in list(self.tries.items()):
            if key in claims or led_to == order_id:
                del self.tries[key]
                count += 1
        return count

    def failures_since(self, kiosk: str, since: datetime) -> int:
        count = 0
        for _, where, at in reversed(self.refusals):  # in the order of time
            if at < since:
                break
            count += where == kiosk
        return count

    def mark_used(self, ticket_id: str, at: datetime) -> None:
        for key, record in self.rows.items():
            if record.ticket_id == ticket_id and record.used_at is None:
                self.rows[key] = dataclasses.replace(record, used_at=at)
