"""The paths of a claim (security C2), each from what was scanned to a Release or a reason.

All in one place, because what one path refuses no other may give away. Only the local table of
orders is asked; nothing that was typed or scanned goes further than a hash and a comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from kiosk.domain.claim import (
    Answers,
    ClaimPath,
    Fact,
    ScannedNumber,
    claim_keys,
    facts_asked,
    order_keys,
)
from kiosk.domain.exam import exam_of
from kiosk.domain.facts import folded_digits, folded_postcode
from kiosk.domain.identity import match, parse_birth_date, same_birth_date, same_name
from kiosk.domain.licence import Licence, is_of
from kiosk.domain.model import ExecutionStatus, HandOver, Job, Order, OrderId, ReleaseState
from kiosk.domain.ticket import MAX_TRIES, TicketKeys, hashes_of
from kiosk.errors import UnknownJobError, UnknownOrderError
from kiosk.ports import ClaimRecord, Jobs, Orders, Tickets
from kiosk.services.claims import Claim, IdentifyPolicy, Refused, Release, day_of
from kiosk.services.tries import Tries


class ClaimPaths:
    """Decides; counts and says nothing."""

    def __init__(
        self,
        *,
        orders: Orders,
        tickets: Tickets,
        jobs: Jobs,
        keys: TicketKeys,
        tries: Tries,
        policy: IdentifyPolicy,
    ) -> None:
        self._orders, self._tickets, self._jobs = orders, tickets, jobs
        self._keys, self._tries, self._policy = keys, tries, policy

    def decide(self, claim: Claim, answers: Answers, now: datetime) -> Release | Refused:
        """Raises JournalError: the tables cannot be read."""
        parsed = claim.parsed
        recent = self._orders.open_since(now - timedelta(days=self._policy.order_days))
        if isinstance(parsed, ScannedNumber | Licence):
            return self._without_ticket(claim, parsed, answers, recent, now)
        found = (self._tickets.find(it) for it in hashes_of(parsed, self._keys))
        record = next((it for it in found if it is not None), None)
        if record is None:
            return Refused("unknown")
        return self._with_ticket(record, answers, recent, now)

    # --- path 1

    def _with_ticket(
        self, record: ClaimRecord, answers: Answers, recent: Sequence[Order], now: datetime
    ) -> Release | Refused:
        if record.failures >= MAX_TRIES:
            return Refused("locked", record.ticket_id)
        try:
            order = self._orders.get(record.order_id)
        except UnknownOrderError:
            return Refused("no_order", record.ticket_id)
        if not same_birth_date(order.patient.birth_date, answers.birth_date):
            return Refused("birth_date", record.ticket_id, is_wrong_answer=True)
        others = self._others(order, recent)
        orders = [order, *(it for it in others if it.state is ReleaseState.RELEASED)]
        job = self._job_of(order.order_id)
        if _is_used(record, order, job):
            # What else was placed with it stays its: a medium waits for its owner in the drive.
            orders = [it for it in orders if self._waits_for_its_owner(it.order_id)]
            if not orders:
                is_collected = order.state is ReleaseState.COLLECTED
                return Refused("collected" if is_collected else "used", record.ticket_id)
        if now >= record.expires_at:
            return Refused("expired", record.ticket_id)
        if reason := self._why_not(orders[0], recent, now):
            return Refused(reason, record.ticket_id)
        held = [it for it in others if it.state is not ReleaseState.RELEASED]
        released = self._release(ClaimPath.TICKET, orders, held, now)
        return replace(released, ticket_id=record.ticket_id)

    def _others(self, order: Order, recent: Sequence[Order]) -> list[Order]:
        """Further open orders of the same person, newest exam first; none if the site wants none.

        What is the desk's alone is not even shown to be there: it may be kept from whoever reads
        over the patient's shoulder.
        """
        if not self._policy.other_exams:
            return []
        mine = [
            it
            for it in recent
            if it.order_id != order.order_id
            and it.desk_only is None
            and match(order.patient, it.patient).accepted
        ]
        return sorted(mine, key=lambda it: (it.study_date, it.created_at), reverse=True)

    def _waits_for_its_owner(self, order_id: OrderId) -> bool:
        job = self._job_of(order_id)
        return job is not None and not job.has_ended and job.choice.hand_over is HandOver.ON_CLAIM

    # --- paths 2 and 3

    def _without_ticket(
        self,
        claim: Claim,
        parsed: ScannedNumber | Licence,
        answers: Answers,
        recent: Sequence[Order],
        now: datetime,
    ) -> Release | Refused:
        """The desk for everybody whom it could also be; of a number all exams of that one person,
        of a card the one that is marked.
        """
        claims = claim_keys(parsed, self._keys)
        if isinstance(parsed, Licence):
            found = [it for it in recent if is_of(parsed, it.patient)]
            answers = replace(answers, birth_date=parsed.birth_date)
        else:
            found = [it for it in recent if parsed.is_of(it)]
        if self._tries.is_locked(claims):
            return Refused("locked")
        if not found:
            return Refused("unknown", claims=claims[:1])
        if not _are_one_person(found):
            return Refused("ambiguous", claims=claims[:1])
        if isinstance(parsed, Licence):
            found = [it for it in found if it.send_home]
            if len(found) != 1:
                return Refused("ambiguous" if found else "not_flagged", claims=claims[:1])
        led_to = tuple(key for it in found for key in order_keys(it, self._keys))
        counted = (*claims[:1], *(order_keys(it, self._keys)[0] for it in found))
        order_id = found[0].order_id
        if self._tries.is_locked(led_to):
            return Refused("locked", order_id=order_id)
        right = [it for it in found if not self._wrong_fact(claim.path, it, answers)]
        if not right:
            reason = self._wrong_fact(claim.path, found[0], answers)
            return Refused(reason, claims=counted, order_id=order_id)
        reasons = [self._why_not_today(it, recent, now) for it in right]
        orders = [it for it, reason in zip(right, reasons, strict=True) if not reason]
        if not orders:
            return Refused(reasons[0], order_id=order_id)
        orders = [replace(it, with_report=False, is_report_preliminary=False) for it in orders]
        released = self._release(claim.path, orders, (), now)
        return replace(released, claims=counted)

    def _wrong_fact(self, path: ClaimPath, order: Order, answers: Answers) -> str:
        """The first fact that does not agree, "" if all do. What is not on file never does."""
        if not same_birth_date(order.patient.birth_date, answers.birth_date):
            return Fact.BIRTH_DATE.value
        facts, asked = order.facts, facts_asked(path, self._policy.second_fact)
        for fact, on_file, given in (
            (Fact.PHONE_DIGITS, facts.phone_digits, folded_digits(answers.phone_digits)),
            (Fact.POSTCODE, facts.postcode, folded_postcode(answers.postcode)),
        ):
            if fact in asked and (not on_file or on_file != given):
                return fact.value
        return ""

    def _why_not_today(self, order: Order, recent: Sequence[Order], now: datetime) -> str:
        """A claim that no human has looked at opens today's marked exam, and images alone."""
        if not order.send_home:
            return "not_flagged"
        if order.study_date != day_of(now).strftime("%Y%m%d"):
            return "not_today"
        job = self._job_of(order.order_id)
        if job is not None and not job.has_ended and not job.choice.is_images_only:
            return "report"  # what a ticket placed may hold one, and is a ticket's to fetch
        return self._why_not(order, recent, now)

    # --- all paths

    def _why_not(self, order: Order, recent: Sequence[Order], now: datetime) -> str:
        """What stands against a release although claim and facts are right; "" for nothing."""
        if order.state is not ReleaseState.RELEASED:
            return str(order.state.value)
        if order.desk_only is not None:
            return "desk_only"
        if now - order.created_at > timedelta(days=self._policy.order_days):
            return "too_old"
        if self._is_minor(order, day_of(now)):
            return "minor"
        return "ambiguous" if _has_namesake(order, recent) else ""

    def _is_minor(self, order: Order, today: date) -> bool:
        born = parse_birth_date(order.patient.birth_date, "YMD")
        if born is None:
            return True
        years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        return years < self._policy.minimum_age_years

    def _release(
        self, path: ClaimPath, orders: Sequence[Order], held: Sequence[Order], now: datetime
    ) -> Release:
        today = day_of(now)
        exams = []
        for order in (*orders, *held):
            job = self._job_of(order.order_id)
            is_running = job is not None and not job.has_ended
            job_id = order.order_id if is_running else None
            owed = job.owed if job is not None else None
            exams.append(exam_of(order, today=today, job_id=job_id, owed=owed))
        return Release("", tuple(orders), exams[0].job_id, path, tuple(exams))

    def _job_of(self, order_id: OrderId) -> Job | None:
        try:
            return self._jobs.get(order_id)
        except UnknownJobError:
            return None


def _is_used(record: ClaimRecord, order: Order, job: Job | None) -> bool:
    """Whether the ticket's own exam was handed out; a failed job is placed anew with the ticket
    that placed it.
    """
    if order.state is ReleaseState.COLLECTED:
        return True
    return record.used_at is not None and (job is None or job.status is ExecutionStatus.DONE)


def _are_one_person(orders: Sequence[Order]) -> bool:
    return all(
        match(one.patient, other.patient).accepted
        for number, one in enumerate(orders)
        for other in orders[number + 1 :]
    )


def _has_namesake(order: Order, recent: Sequence[Order]) -> bool:
    """Whether another person of equal name and birth date has an open order: desk, for both."""
    return any(
        same_birth_date(other.patient.birth_date, order.patient.birth_date)
        and same_name(other.patient.name, order.patient.name)
        and not match(order.patient, other.patient).accepted
        for other in recent
    )
