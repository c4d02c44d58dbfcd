"""The journal, but for jobs and media: orders, tickets, the audit trail, who is there."""

from __future__ import annotations

from collections.abc import Sequence
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
    def open_since(self, since: datetime) -> list[Order]:
        """Released and held orders that came since then, newest first."""
        ...

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
    def count_failure(
        self,
        ticket_id: str | None,
        kiosk: str,
        at: datetime,
        *,
        claims: Sequence[str] = (),
        order_id: OrderId | None = None,
    ) -> None:
        """A refusal at that kiosk, in one transaction with what it counts against.

        Args:
            ticket_id: The ticket, None for none.
            claims: Keys of `domain.claim`, known or not.
            order_id: Where the claims led; staff unlock by it.
        """
        ...

    def claim_failures(self, claims: Sequence[str]) -> int:
        """The most wrong tries that any of these keys has."""
        ...

    def failures_since(self, kiosk: str, since: datetime) -> int: ...
    def note_alert(self, kiosk: str) -> None:
        """Staff were alerted at the newest refusal of that kiosk."""
        ...

    def has_alerted_since(self, kiosk: str, since: datetime) -> bool: ...
    def unlock_order(self, order_id: OrderId, claims: Sequence[str], *, actor: str) -> int:
        """Forget wrong tries at its ticket, at it, and at these claims; audited.

        Returns:
            How many counters there were.
        """
        ...

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


@dataclass(frozen=True, slots=True)
class StaffCall:
    """Somebody at a kiosk wants a person.

    Attributes:
        number: Counted up over all kiosks.
        where: Name of the screen that was shown; nothing of a person.
    """

    number: int
    kiosk: str
    where: str
    called_at: datetime
    answered_at: datetime | None = None
    answered_by: str = ""

    @property
    def is_answered(self) -> bool:
        return self.answered_at is not None


class StaffCalls(Protocol):
    """Calls for staff: rows that the console and `sendhome calls` read."""

    def call(self, kiosk: str, where: str) -> StaffCall:
        """Put it on record, once: as long as nobody has answered, the first call stands."""
        ...

    def get(self, number: int) -> StaffCall | None: ...
    def newest(self, *, limit: int = 50, only_open: bool = False) -> list[StaffCall]: ...
    def answer(self, number: int, *, actor: str) -> bool:
        """Somebody is on the way. False if there is no such call, or it was answered before."""
        ...

    def purge(self, *, answered_before: datetime) -> int:
        """Drop calls that were answered before; returns their number. Open ones stay."""
        ...


class Stations(Protocol):
    """Which engines live: each writes a beat every few seconds."""

    def silent_s(self, name: str = "") -> float | None:
        """Seconds since that station's engine beat last, "" for any engine; None if none ever did.

        Raises JournalError.
        """
        ...
