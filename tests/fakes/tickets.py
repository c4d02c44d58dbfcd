"""Claim tickets and refusals, in memory."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from kiosk.ports import ClaimRecord


class FakeTickets:
    """Keeps the `Tickets` port. Hand the same one to a new service to play a restart."""

    def __init__(self) -> None:
        self.rows: dict[str, ClaimRecord] = {}  # by secret hash
        self.refusals: list[tuple[str | None, str, datetime]] = []

    def add(self, record: ClaimRecord, *, actor: str) -> None:
        self.rows = {k: it for k, it in self.rows.items() if it.order_id != record.order_id}
        self.rows[record.secret_hash] = record

    def find(self, secret_hash: str) -> ClaimRecord | None:
        return self.rows.get(secret_hash)

    def count_failure(self, ticket_id: str | None, kiosk: str, at: datetime) -> None:
        self.refusals.append((ticket_id, kiosk, at))
        for key, record in self.rows.items():
            if record.ticket_id == ticket_id:
                self.rows[key] = dataclasses.replace(record, failures=record.failures + 1)

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
