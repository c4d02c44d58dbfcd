"""Who stands before the kiosk: a ticket, then a birth date, then a Release or one neutral refusal.

Only the local table of orders is asked; nothing that was typed or scanned goes further than a hash
and a date. Every refusal is the same value after the same time: the visitor learns neither which
of both was wrong nor whether anybody has an exam here. The audit trail has the reason.
"""

from __future__ import annotations

import math
import secrets
import threading
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from kiosk.domain.identity import match, parse_birth_date, same_birth_date, same_name
from kiosk.domain.model import ExecutionStatus, Job, Order, OrderId, ReleaseState
from kiosk.domain.ticket import (
    MAX_TRIES,
    ScannedTicket,
    Ticket,
    TicketKeys,
    TypedCode,
    hashes_of,
    make_ticket,
    parse,
)
from kiosk.errors import InvalidValueError, UnknownJobError, UnknownOrderError
from kiosk.ports import AuditLog, ClaimRecord, Clock, Jobs, Orders, Tickets

TICKET_LIFE: Final = timedelta(hours=24)
_OPEN: Final = (ReleaseState.RELEASED, ReleaseState.HELD)
_NAMESAKES_AMONG: Final = 2000  # open orders looked at; a kiosk keeps a week of them


@dataclass(frozen=True, slots=True)
class IdentifyPolicy:
    """How patient the kiosk is with guesses.

    Attributes:
        floor_s: Every answer takes a whole multiple of this.
        kiosk_tries: Refusals at one kiosk within `window_s` until it cools down.
        cool_down_s: First pause; doubles with each further refusal up to `longest_cool_down_s`.
        order_days: Older orders are the desk's.
        minimum_age_years: Younger patients' studies are handed out at the desk; 0 for no limit.
    """

    floor_s: float = 1.5
    kiosk_tries: int = 6
    window_s: float = 600.0
    cool_down_s: float = 60.0
    longest_cool_down_s: float = 900.0
    order_days: int = 7
    minimum_age_years: int = 18


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that has the form of a ticket. Nothing is known about it yet."""

    parsed: TypedCode | ScannedTicket = field(repr=False)


@dataclass(frozen=True, slots=True)
class Release:
    """Proof that a ticket and its birth date were given: what may be handed out, to whom.

    Attributes:
        orders: At least one, newest first.
        job_id: The job that was placed and has not ended, None if there is none: the visitor came
            back. One that failed is placed anew.
    """

    ticket_id: str
    orders: tuple[Order, ...] = field(repr=False)
    job_id: OrderId | None

    @property
    def order(self) -> Order:
        return self.orders[0]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The one neutral answer; it has no fields on purpose."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why, for the audit trail only."""

    reason: str
    ticket_id: str = ""
    is_wrong_answer: bool = False  # counts against the ticket


def issue_ticket(
    order: Order,
    *,
    tickets: Tickets,
    clock: Clock,
    keys: TicketKeys,
    actor: str,
    valid_for: timedelta = TICKET_LIFE,
) -> Ticket:
    """Make a ticket for an order and store its hash; an earlier ticket of the order is void.

    Raises:
        InvalidValueError: The order has no real birth date, so the ticket could never be used.
    """
    if parse_birth_date(order.patient.birth_date, "YMD") is None:
        raise InvalidValueError("the order has no birth date: hand out at the desk")
    ticket = make_ticket(secrets.token_bytes(10), clock.now() + valid_for, keys)
    tickets.add(
        ClaimRecord(
            ticket_id=ticket.ticket_id,
            secret_hash=ticket.secret_hash,
            order_id=order.order_id,
            expires_at=ticket.expires_at,
            used_at=None,
            failures=0,
        ),
        actor=actor,
    )
    return ticket


class Identify:
    """Checks claims at one kiosk. Blocks for `floor_s` or more: call it from a worker thread."""

    def __init__(
        self,
        *,
        orders: Orders,
        tickets: Tickets,
        jobs: Jobs,
        clock: Clock,
        audit: AuditLog,
        keys: TicketKeys,
        kiosk: str,
        policy: IdentifyPolicy | None = None,
    ) -> None:
        self._orders, self._tickets, self._jobs = orders, tickets, jobs
        self._clock, self._audit, self._keys, self._kiosk = clock, audit, keys, kiosk
        self._policy = policy or IdentifyPolicy()
        self._one_at_a_time = threading.Lock()

    def claim(self, text: str) -> Claim | None:
        """Read a scan or typed code by its form; None if it cannot be a ticket of anybody's.

        Looks nothing up, so its answer says nothing about who has an exam here.
        """
        parsed = parse(text)
        return None if parsed is None else Claim(parsed)

    def confirm(self, claim: Claim, birth_date: date) -> Release | Refusal:
        """Answer a claim.

        Raises:
            JournalError: The tables cannot be read; nothing was decided, nothing counted.
        """
        started_s = self._clock.monotonic_s()
        try:
            with self._one_at_a_time:
                outcome = self._decide(claim, birth_date)
                self._record(outcome)
            return outcome if isinstance(outcome, Release) else Refusal()
        finally:
            self._wait_out(started_s)

    def disown(self, release: Release) -> None:
        """The visitor said that the shown person is somebody else: lock the ticket, tell staff."""
        now = self._clock.now()
        for _ in range(MAX_TRIES):
            self._tickets.count_failure(release.ticket_id, self._kiosk, now)
        self._audit.append(
            "claim.disowned",
            actor=self._actor,
            subject=release.ticket_id,
            outcome=8,
            details={"reason": "not_me", "kiosk": self._kiosk},
        )

    # ----------------------------------------------------------------------------------------------

    @property
    def _actor(self) -> str:
        return f"kiosk:{self._kiosk}"

    def _decide(self, claim: Claim, birth_date: date) -> Release | _Refused:
        now = self._clock.now()
        if self._is_cooling_down(now):
            return _Refused("cool_down")
        found = (self._tickets.find(it) for it in hashes_of(claim.parsed, self._keys))
        record = next((it for it in found if it is not None), None)
        if record is None:
            return _Refused("unknown")
        if record.failures >= MAX_TRIES:
            return _Refused("locked", record.ticket_id)
        try:
            order = self._orders.get(record.order_id)
        except UnknownOrderError:
            return _Refused("no_order", record.ticket_id)
        if not same_birth_date(order.patient.birth_date, birth_date):
            return _Refused("birth_date", record.ticket_id, is_wrong_answer=True)
        job = self._job_of(order.order_id)
        if reason := self._why_not(record, order, job, now):
            return _Refused(reason, record.ticket_id)
        is_running = job is not None and not job.has_ended
        return Release(record.ticket_id, (order,), order.order_id if is_running else None)

    def _why_not(
        self, record: ClaimRecord, order: Order, job: Job | None, now: datetime
    ) -> str | None:
        """What stands against a release although ticket and birth date are right."""
        if now >= record.expires_at:
            return "expired"
        if order.state is not ReleaseState.RELEASED:
            return str(order.state.value)
        if record.used_at is not None and (job is None or job.status is ExecutionStatus.DONE):
            return "used"  # a failed job is placed anew with the ticket that placed it
        if now - order.created_at > timedelta(days=self._policy.order_days):
            return "too_old"
        if self._is_minor(order, now.date()):
            return "minor"
        if self._has_namesake(order):
            return "ambiguous"
        return None

    def _job_of(self, order_id: OrderId) -> Job | None:
        try:
            return self._jobs.get(order_id)
        except UnknownJobError:
            return None

    def _is_minor(self, order: Order, today: date) -> bool:
        born = parse_birth_date(order.patient.birth_date, "YMD")
        if born is None:
            return True
        years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        return years < self._policy.minimum_age_years

    def _has_namesake(self, order: Order) -> bool:
        """Whether another person of equal name and birth date has an open order: desk, for both."""
        newest = self._orders.newest(limit=_NAMESAKES_AMONG)
        return any(
            other.state in _OPEN
            and same_birth_date(other.patient.birth_date, order.patient.birth_date)
            and same_name(other.patient.name, order.patient.name)
            and not match(order.patient, other.patient).accepted
            for other in newest
        )

    def _is_cooling_down(self, now: datetime) -> bool:
        """Six refusals in ten minutes cost a minute, each further one twice as long as the last.

        Worked out from the stored refusals alone, so a restart forgets nothing. The k-th pause was
        earned by 6 + k refusals within ten minutes plus the pauses before it, and it lasts from the
        last refusal on. Tries during a pause are not looked at and do not count.
        """
        policy = self._policy
        window_s, pause_s = policy.window_s, policy.cool_down_s
        for refusals in range(policy.kiosk_tries, policy.kiosk_tries + 12):
            earned = self._failures(now, window_s + pause_s) >= refusals
            if earned and self._failures(now, pause_s) > 0:
                return True
            window_s += pause_s
            pause_s = min(2 * pause_s, policy.longest_cool_down_s)
        return False

    def _failures(self, now: datetime, seconds: float) -> int:
        return self._tickets.failures_since(self._kiosk, now - timedelta(seconds=seconds))

    def _record(self, outcome: Release | _Refused) -> None:
        details = {"path": "ticket", "kiosk": self._kiosk}
        if isinstance(outcome, _Refused):
            details["reason"] = outcome.reason
            if outcome.reason != "cool_down":
                counted = outcome.ticket_id if outcome.is_wrong_answer else None
                self._tickets.count_failure(counted, self._kiosk, self._clock.now())
        self._audit.append(
            "claim.released" if isinstance(outcome, Release) else "claim.refused",
            actor=self._actor,
            subject=outcome.ticket_id,
            outcome=0 if isinstance(outcome, Release) else 4,
            details=details,
        )

    def _wait_out(self, started_s: float) -> None:
        """Sleep up to a whole multiple of the floor, so that slow look-ups do not show either."""
        floor_s = self._policy.floor_s
        spent_s = max(0.0, self._clock.monotonic_s() - started_s)
        wait_s = max(1, math.ceil(spent_s / floor_s)) * floor_s - spent_s
        if wait_s > 0:
            self._clock.sleep_s(wait_s)
