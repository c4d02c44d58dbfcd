"""The journal, but for jobs and media: orders, tickets, the audit trail, who is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kiosk.domain.model import Order, OrderId, PatientIdentity, ReleaseState


class Orders(Protocol):
    """The local table of orders. The kiosk searches nothing else."""

    def add(self, order: Order, *, actor: str) -> None: ...
    def get(self, order_id: OrderId) -> Order: ...
    def released_for(self, patient: PatientIdentity) -> list[Order]:
        """Released orders whose identity is the same by `domain.identity`, newest first."""
        ...

    def set_state(self, order_id: OrderId, state: ReleaseState, *, actor: str) -> None: ...
    def newest(self, *, limit: int = 100) -> list[Order]: ...
    def set_study(self, order_id: OrderId, study_instance_uid: str) -> None:
        """What the archive said an order without a Study Instance UID means; kept once."""
        ...


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A ticket as stored: the secret only as a hash.

    Attributes:
        secret_hash: Hex; keyed with the site's ticket key.
        failures: Wrong tries so far; locked from `MAX_TRIES` on until staff unlock.
    """

    ticket_id: str
    secret_hash: str
    order_id: OrderId
    expires_at: datetime
    used_at: datetime | None
    failures: int


class Tickets(Protocol):
    """Claim tickets and the counters that survive a restart."""

    def add(self, record: ClaimRecord, *, actor: str) -> None:
        """Voids an earlier ticket of the same order."""
        ...

    def find(self, secret_hash: str) -> ClaimRecord | None: ...
    def count_failure(self, ticket_id: str | None, kiosk: str, at: datetime) -> None: ...
    def failures_since(self, kiosk: str, since: datetime) -> int: ...
    def mark_used(self, ticket_id: str, at: datetime) -> None: ...


class AuditLog(Protocol):
    """Append-only and hash-chained (PS3.15 A.5)."""

    def append(
        self, event: str, *, actor: str, subject: str, outcome: int, details: dict[str, str]
    ) -> None: ...
    def verify(self) -> int:
        """Number of rows of an intact chain. Raises JournalError naming the first broken row."""
        ...


class Presence(Protocol):
    """Whose visit shows at a kiosk just now: rows that count for some seconds only."""

    def touch(self, job_id: OrderId) -> None:
        """The visitor is there."""
        ...

    def leave(self, job_id: OrderId) -> None:
        """The visit has ended."""
        ...

    def seen_at(self, job_id: OrderId) -> datetime | None: ...


class Stations(Protocol):
    """Which engines live: each writes a beat every few seconds."""

    def silent_s(self, name: str = "") -> float | None:
        """Seconds since that station's engine beat last, "" for any engine; None if none ever did.

        Raises JournalError.
        """
        ...
