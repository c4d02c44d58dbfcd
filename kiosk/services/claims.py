"""What goes into a claim and what comes out of it, as values; `services.identify` decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from kiosk.domain.bill import Bill
from kiosk.domain.claim import ClaimPath, Fact, Parsed, Reading, path_of
from kiosk.domain.exam import Exam
from kiosk.domain.fee import RequestKind
from kiosk.domain.model import Order, OrderId


@dataclass(frozen=True, slots=True)
class IdentifyPolicy:
    """How patient the kiosk is with guesses, and what the site takes for a claim.

    Attributes:
        floor_s: Every answer takes a whole multiple of this.
        kiosk_tries: Refusals at one kiosk within `window_s` until it cools down.
        cool_down_s: First pause; doubles with each further refusal up to `longest_cool_down_s`.
        alert_after: With more refusals than this within `alert_window_s` staff are alerted, once.
        order_days: Older orders are the desk's.
        minimum_age_years: Younger patients' studies are handed out at the desk; 0 for no limit.
        reading: Which claims are taken besides tickets.
        second_fact: PHONE_DIGITS or POSTCODE, for whoever comes without a ticket.
        other_exams: A ticket also offers other released orders of the same person.
    """

    floor_s: float = 1.5
    kiosk_tries: int = 6
    window_s: float = 600.0
    cool_down_s: float = 60.0
    longest_cool_down_s: float = 900.0
    alert_after: int = 10
    alert_window_s: float = 3600.0
    order_days: int = 7
    minimum_age_years: int = 18
    reading: Reading = Reading()
    second_fact: Fact = Fact.PHONE_DIGITS
    other_exams: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that has the form of a claim. Nothing is known about it yet."""

    parsed: Parsed = field(repr=False)

    @property
    def path(self) -> ClaimPath:
        return path_of(self.parsed)


@dataclass(frozen=True, slots=True)
class Release:
    """Proof that a claim and its facts were given: what may be handed out, to whom.

    Attributes:
        ticket_id: "" for a claim without a ticket.
        orders: At least one; the claimed one first, then newest first. All may be placed.
        job_id: The job of the first order that was placed and has not ended, None if there is none:
            the visitor came back. One that failed is placed anew.
        path: How it was claimed; a way without a ticket releases images of today's exam alone, and
            nothing of its orders or exams says whether there is a report.
        exams: What to offer, the `orders` among them and in their order.
        claims: Under what its wrong tries are counted, if it has no ticket.
    """

    ticket_id: str
    orders: tuple[Order, ...] = field(repr=False)
    job_id: OrderId | None
    path: ClaimPath = ClaimPath.TICKET
    exams: tuple[Exam, ...] = field(default=(), repr=False)
    claims: tuple[str, ...] = field(default=(), repr=False)

    @property
    def order(self) -> Order:
        return self.orders[0]

    @property
    def is_images_only(self) -> bool:
        """Nobody has looked at who claimed: reports are the desk's."""
        return self.path is not ClaimPath.TICKET

    @property
    def running(self) -> tuple[OrderId, ...]:
        """Jobs that were placed and have not ended, in the order of the exams."""
        return tuple(exam.job_id for exam in self.exams if exam.job_id is not None)

    def owed(self, kind: RequestKind) -> dict[OrderId, Bill]:
        """What was agreed to for copies of that kind that nobody has got, by order."""
        return {
            exam.order_id: exam.owed
            for exam in self.exams
            if exam.order_id is not None and exam.owed is not None and exam.owed.fee.kind is kind
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """The one neutral answer; it has no fields on purpose."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why, for the audit trail only.

    Attributes:
        ticket_id: Whose ticket it was, "" if none is known.
        is_wrong_answer: Counts against the ticket.
        claims: Under what it counts besides the kiosk.
        order_id: Where the claim led, None for nowhere or to more than one.
    """

    reason: str
    ticket_id: str = ""
    is_wrong_answer: bool = False
    claims: tuple[str, ...] = field(default=(), repr=False)
    order_id: OrderId | None = None


def day_of(now: datetime) -> date:
    """The day on the wall of the place: exams are of today by that one."""
    return now.astimezone().date()
