"""Who stands before the kiosk: a claim, then what is asked besides, then a Release or one neutral
refusal.

Only the local table of orders is asked; nothing that was typed or scanned goes further than a hash
and a comparison. Every refusal is the same value after the same time: the visitor learns neither
what was wrong nor whether anybody has an exam here. The audit trail has the reason.
`services.claim_paths` decides, `services.tries` counts.
"""

from __future__ import annotations

import math
import secrets
import threading
from datetime import date, timedelta
from typing import Final

from kiosk.domain.claim import (
    Answers,
    Fact,
    Unread,
    facts_asked,
    keys_leading_to,
    read,
)
from kiosk.domain.facts import folded_digits, folded_postcode
from kiosk.domain.identity import parse_birth_date
from kiosk.domain.model import Order
from kiosk.domain.ticket import Ticket, TicketKeys, make_ticket
from kiosk.errors import InvalidValueError
from kiosk.ports import AuditLog, ClaimRecord, Clock, Jobs, Orders, StaffCalls, Tickets
from kiosk.services.claim_paths import ClaimPaths
from kiosk.services.claims import Claim, IdentifyPolicy, Refusal, Refused, Release, day_of
from kiosk.services.tries import COOL_DOWN, Tries

__all__ = ["Claim", "Identify", "IdentifyPolicy", "Refusal", "Release", "issue_ticket", "unlock"]

NOT_ME: Final = "NotMe"  # where a call for staff comes from
TICKET_LIFE: Final = timedelta(hours=24)


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


def unlock(order: Order, *, tickets: Tickets, keys: TicketKeys, actor: str) -> int:
    """Staff let an order's claims be tried again: its ticket, its numbers, its patient's card.

    Returns:
        How many counters there were.
    Raises:
        UnknownOrderError: The order is not in the journal.
    """
    return tickets.unlock_order(order.order_id, keys_leading_to(order, keys), actor=actor)


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
        calls: StaffCalls,
        keys: TicketKeys,
        kiosk: str,
        policy: IdentifyPolicy | None = None,
    ) -> None:
        self._clock, self._audit, self._kiosk = clock, audit, kiosk
        self._calls = calls
        self._policy = policy or IdentifyPolicy()
        self._tries = Tries(tickets, audit, calls, kiosk, self._policy)
        self._paths = ClaimPaths(
            orders=orders,
            tickets=tickets,
            jobs=jobs,
            keys=keys,
            tries=self._tries,
            policy=self._policy,
        )
        self._one_at_a_time = threading.Lock()

    def read(self, text: str, *, is_scanned: bool) -> Claim | Unread:
        """Read a scan or typed code by its form; why not, if it cannot be anybody's claim.

        Looks nothing up and counts nothing: its answer says nothing about who has an exam here.

        Args:
            is_scanned: It came from the scanner. Numbers and cards are never typed.
        """
        today = day_of(self._clock.now())
        parsed = read(text, is_scanned=is_scanned, reading=self._policy.reading, today=today)
        return parsed if isinstance(parsed, Unread) else Claim(parsed)

    def claim(self, text: str, *, is_scanned: bool = False) -> Claim | None:
        """`read` for whoever need not say why not."""
        found = self.read(text, is_scanned=is_scanned)
        return found if isinstance(found, Claim) else None

    def needs(self, claim: Claim) -> tuple[Fact, ...]:
        """What to ask, in this order. By the claim's path and the site's choice, never by whether
        there is such an order.
        """
        return facts_asked(claim.path, self._policy.second_fact)

    def confirm(self, claim: Claim, answers: date | Answers) -> Release | Refusal:
        """Answer a claim.

        Args:
            answers: To all that `needs` names; a date is a birth date and nothing else.
        Raises:
            InvalidValueError: An answer is missing, or has not the form of one; nothing counted.
            JournalError: The tables cannot be read; nothing was decided, nothing counted.
        """
        if isinstance(answers, date):
            answers = Answers(answers)
        self._require(self.needs(claim), answers)
        started_s = self._clock.monotonic_s()
        try:
            with self._one_at_a_time:
                outcome = self._decide(claim, answers)
                self._record(claim, outcome)
            return outcome if isinstance(outcome, Release) else Refusal()
        finally:
            self._wait_out(started_s)

    def disown(self, release: Release) -> None:
        """The visitor said that the shown person is somebody else: lock the claim, tell staff."""
        self._tries.lock(release, self._clock.now())
        self._audit.append(
            "claim.disowned",
            actor=self._actor,
            subject=release.ticket_id or release.order.order_id,
            outcome=8,
            details={"reason": "not_me", "path": release.path.value, "kiosk": self._kiosk},
        )
        self._calls.call(self._kiosk, NOT_ME)

    # ----------------------------------------------------------------------------------------------

    @property
    def _actor(self) -> str:
        return f"kiosk:{self._kiosk}"

    def _require(self, facts: tuple[Fact, ...], answers: Answers) -> None:
        has = {
            Fact.BIRTH_DATE: answers.birth_date is not None,
            Fact.PHONE_DIGITS: bool(folded_digits(answers.phone_digits)),
            Fact.POSTCODE: bool(folded_postcode(answers.postcode)),
        }
        for fact in facts:
            if not has[fact]:
                raise InvalidValueError(f"{fact.value} is missing or has another form")

    def _decide(self, claim: Claim, answers: Answers) -> Release | Refused:
        now = self._clock.now()
        if self._tries.is_cooling_down(now):
            return Refused(COOL_DOWN)
        return self._paths.decide(claim, answers, now)

    def _record(self, claim: Claim, outcome: Release | Refused) -> None:
        details = {"path": claim.path.value, "kiosk": self._kiosk}
        subject = outcome.ticket_id
        if isinstance(outcome, Refused):
            details["reason"] = outcome.reason
            subject = subject or str(outcome.order_id or "")
            self._tries.count(outcome, self._clock.now())
        else:
            subject = subject or str(outcome.order.order_id)
        self._audit.append(
            "claim.released" if isinstance(outcome, Release) else "claim.refused",
            actor=self._actor,
            subject=subject,
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
