"""Claims at the kiosk: who gets a Release, and that everybody else gets the same nothing."""

from __future__ import annotations

import dataclasses
import random
from datetime import date, timedelta

import pytest

from kiosk.domain.model import MediaChoice, Medium, Order, Priority, ReleaseState
from kiosk.domain.ticket import ALPHABET, MAX_TRIES, Ticket, TicketKeys
from kiosk.errors import InvalidValueError, JournalError
from kiosk.services.identify import (
    Identify,
    IdentifyPolicy,
    Refusal,
    Release,
    issue_ticket,
)
from tests.fakes.audit import FakeAuditLog
from tests.fakes.calls import FakeCalls
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import FakeJobs
from tests.fakes.orders import FakeOrders, an_order
from tests.fakes.tickets import FakeTickets

KEYS = TicketKeys((b"k" * 32,))
BORN = date(1961, 3, 3)
DISC = MediaChoice(Medium.DISC)


class Desk:
    """A kiosk with its tables, and a desk that prints tickets."""

    def __init__(self, *orders: Order, policy: IdentifyPolicy | None = None) -> None:
        self.clock = FakeClock()
        self.orders = FakeOrders(*orders)
        self.tickets = FakeTickets()
        self.jobs = FakeJobs(self.clock)
        self.audit = FakeAuditLog()
        self.calls = FakeCalls(self.clock)
        self.policy = policy
        self.identify = self.restarted()

    def restarted(self, kiosk: str = "hall") -> Identify:
        return Identify(
            orders=self.orders,
            tickets=self.tickets,
            jobs=self.jobs,
            clock=self.clock,
            audit=self.audit,
            calls=self.calls,
            keys=KEYS,
            kiosk=kiosk,
            policy=self.policy,
        )

    def issue(self, order: Order) -> Ticket:
        return issue_ticket(
            order, tickets=self.tickets, clock=self.clock, keys=KEYS, actor="staff:test"
        )

    def try_(self, text: str, birth_date: date = BORN) -> Release | Refusal:
        claim = self.identify.claim(text)
        assert claim is not None
        return self.identify.confirm(claim, birth_date)


def test_ticket_and_birth_date_release_the_exam() -> None:
    order = an_order()
    desk = Desk(order)
    ticket = desk.issue(order)
    for text in (ticket.code, ticket.printed_code.lower(), ticket.qr_text):
        release = desk.try_(text)
        assert isinstance(release, Release)
        assert release.order == order
        assert release.job_id is None
        assert "GARCIA" not in repr(release)
    assert desk.tickets.refusals == []
    assert [row.outcome for row in desk.audit.rows] == [0, 0, 0]


def refusals() -> dict[str, Desk]:
    """Every reason for which a claim can fail, each at a kiosk of its own."""
    found: dict[str, Desk] = {}
    for state in (ReleaseState.HELD, ReleaseState.CANCELLED, ReleaseState.COLLECTED):
        found[state.value] = Desk(an_order(state=state))
    for reason in ("unknown", "birth_date", "expired", "locked", "used", "no_order", "too_old"):
        found[reason] = Desk(an_order())
    found["minor"] = Desk(an_order(birth_date="20100101"))
    found["ambiguous"] = Desk(an_order(1), an_order(2, name="Garcia^Maria"))
    found["cool_down"] = Desk(an_order())
    return found


@pytest.mark.parametrize("reason", list(refusals()))
def test_every_refusal_is_the_same(reason: str) -> None:
    desk = refusals()[reason]
    order = next(iter(desk.orders.rows.values()))
    born = date(2010, 1, 1) if reason == "minor" else BORN
    ticket = desk.issue(order)
    text = ticket.qr_text
    if reason == "unknown":
        text = "00000000"
    elif reason == "birth_date":
        born = date(1961, 3, 4)
    elif reason == "expired":
        desk.clock.advance(24 * 3600)
    elif reason == "locked":
        for _ in range(MAX_TRIES):
            desk.tickets.count_failure(ticket.ticket_id, "elsewhere", desk.clock.now())
    elif reason == "used":
        desk.tickets.mark_used(ticket.ticket_id, desk.clock.now())
    elif reason == "no_order":
        desk.orders.rows.clear()
    elif reason == "too_old":
        desk.orders.rows[order.order_id] = dataclasses.replace(
            order, created_at=desk.clock.now() - timedelta(days=8)
        )
    elif reason == "cool_down":
        for _ in range(6):
            desk.tickets.count_failure(None, "hall", desk.clock.now())
    counted = len(desk.tickets.refusals)
    answer = desk.try_(text, born)
    assert answer == Refusal()
    assert repr(answer) == "Refusal()"
    assert desk.clock.slept_s == [1.5]
    assert desk.audit.rows[-1].details["reason"] == reason
    assert desk.audit.rows[-1].outcome == 4
    if reason != "cool_down":
        assert len(desk.tickets.refusals) == counted + 1


def test_the_floor_holds_for_releases_and_slow_tables_alike() -> None:
    order = an_order()
    desk = Desk(order)
    ticket = desk.issue(order)
    assert isinstance(desk.try_(ticket.code), Release)
    assert desk.clock.slept_s == [1.5]

    find = desk.tickets.find

    def slow(secret_hash: str) -> object:
        desk.clock.advance(1.6)
        return find(secret_hash)

    desk.tickets.find = slow  # type: ignore[method-assign, assignment]  # a slow disk
    desk.try_("00000000")
    assert desk.clock.slept_s[-1] == pytest.approx(1.4)


def test_a_broken_journal_decides_nothing() -> None:
    desk = Desk(an_order())

    def broken(secret_hash: str) -> object:
        raise JournalError("no table")

    desk.tickets.find = broken  # type: ignore[method-assign, assignment]  # a broken disk
    with pytest.raises(JournalError):
        desk.try_("00000000")
    assert desk.tickets.refusals == []
    assert desk.clock.slept_s == [1.5]


def test_three_wrong_birth_dates_lock_the_ticket_for_good() -> None:
    order = an_order()
    desk = Desk(order)
    ticket = desk.issue(order)
    for day in (4, 5, 6):
        assert desk.try_(ticket.code, date(1961, 3, day)) == Refusal()
    assert desk.try_(ticket.code) == Refusal()
    desk.clock.advance(12 * 3600)
    desk.identify = desk.restarted("other")
    assert desk.try_(ticket.qr_text) == Refusal()
    assert desk.audit.rows[-1].details["reason"] == "locked"
    again = desk.issue(order)  # staff print a new one; the old one is void
    assert isinstance(desk.try_(again.code), Release)
    assert desk.try_(ticket.code) == Refusal()
    assert desk.audit.rows[-1].details["reason"] == "unknown"


def test_cool_down_doubles_and_survives_a_restart() -> None:
    order = an_order()
    desk = Desk(order)
    ticket = desk.issue(order)

    def refuse() -> None:
        assert desk.try_("00000000") == Refusal()

    def is_open() -> bool:
        desk.identify = desk.restarted()
        return isinstance(desk.try_(ticket.code), Release)

    for _ in range(6):
        refuse()
    pauses_s = []
    for _ in range(7):
        waited_s = 0.0
        while not is_open():
            desk.clock.advance(3.5)
            waited_s += 5  # with the 1.5 s that every answer takes
        pauses_s.append(waited_s)
        refuse()
        assert not is_open()
    assert pauses_s == pytest.approx([60, 120, 240, 480, 900, 900, 900], abs=10)
    assert isinstance(desk.restarted("elsewhere"), Identify)
    desk.identify = desk.restarted("elsewhere")  # other kiosks are not paused
    assert isinstance(desk.try_(ticket.code), Release)


def test_tries_during_a_pause_do_not_prolong_it() -> None:
    order = an_order()
    desk = Desk(order)
    ticket = desk.issue(order)
    for _ in range(6):
        desk.try_("00000000")
    for _ in range(30):
        desk.try_("11111111")  # 45 s of hammering
    desk.clock.advance(20)
    assert isinstance(desk.try_(ticket.code), Release)


def test_honest_slips_over_a_day_pause_nothing() -> None:
    order = an_order()
    desk = Desk(order)
    ticket = desk.issue(order)
    for _ in range(20):
        desk.try_("00000000")
        desk.clock.advance(600)
        assert isinstance(desk.try_(ticket.code), Release)


def test_namesakes_go_to_the_desk_both() -> None:
    mine, other = an_order(1), an_order(2, name="garcia^m")
    desk = Desk(mine, other)
    for order in (mine, other):
        assert desk.try_(desk.issue(order).code) == Refusal()
        assert desk.audit.rows[-1].details["reason"] == "ambiguous"


@pytest.mark.parametrize(
    "other",
    [
        an_order(2, patient_id="P00001"),  # my own second exam
        an_order(2, birth_date="19610304"),
        an_order(2, name="GARCIA^CARMEN"),
        an_order(2, state=ReleaseState.COLLECTED),
    ],
)
def test_who_is_no_namesake(other: Order) -> None:
    mine = an_order(1)
    desk = Desk(mine, other)
    assert isinstance(desk.try_(desk.issue(mine).code), Release)


@pytest.mark.parametrize(
    ("birth_date", "is_adult"),
    [("20080305", True), ("20080306", False), ("20250101", False), ("19300229", False)],
)
def test_minors_go_to_the_desk(birth_date: str, is_adult: bool) -> None:
    order = an_order(birth_date=birth_date)
    desk = Desk(order)
    if birth_date == "19300229":  # no such day
        with pytest.raises(InvalidValueError):
            desk.issue(order)
        return
    ticket = desk.issue(order)
    born = date(int(birth_date[:4]), int(birth_date[4:6]), int(birth_date[6:]))
    assert isinstance(desk.try_(ticket.code, born), Release) == is_adult


def test_not_me_locks_and_alerts() -> None:
    order = an_order()
    desk = Desk(order)
    ticket = desk.issue(order)
    release = desk.try_(ticket.code)
    assert isinstance(release, Release)
    desk.identify.disown(release)
    assert desk.audit.rows[-1].event == "claim.disowned"
    assert [(it.kiosk, it.where) for it in desk.calls.newest(only_open=True)] == [("hall", "NotMe")]
    assert desk.try_(ticket.code) == Refusal()


def test_coming_back_shows_the_job_until_it_is_collected() -> None:
    order = an_order()
    desk = Desk(order)
    ticket = desk.issue(order)
    desk.jobs.submit(order.order_id, DISC, Priority.WAITING_PATIENT, actor="kiosk:hall")
    desk.tickets.mark_used(ticket.ticket_id, desk.clock.now())
    release = desk.try_(ticket.code)
    assert isinstance(release, Release)
    assert release.job_id == order.order_id
    assert desk.try_(ticket.code, date(1961, 3, 4)) == Refusal()  # still asked
    desk.orders.set_state(order.order_id, ReleaseState.COLLECTED, actor="engine")
    assert desk.try_(ticket.code) == Refusal()


def test_the_ticket_of_a_failed_job_opens_a_new_try_and_of_a_done_one_nothing() -> None:
    order = an_order()
    desk = Desk(order)
    ticket = desk.issue(order)
    desk.jobs.submit(order.order_id, DISC, Priority.WAITING_PATIENT, actor="kiosk:hall")
    desk.tickets.mark_used(ticket.ticket_id, desk.clock.now())
    desk.jobs.fail(order.order_id, "archive.incomplete")
    release = desk.try_(ticket.code)
    assert isinstance(release, Release)
    assert release.job_id is None
    desk.jobs.done(order.order_id)
    assert desk.try_(ticket.code) == Refusal()  # also while the order is released once more
    release = desk.try_(desk.issue(order).code)  # which staff do with a new ticket
    assert isinstance(release, Release)
    assert release.job_id is None


def test_nothing_typed_leaves_a_trace_in_audit_or_errors() -> None:
    order = an_order()
    desk = Desk(order)
    ticket = desk.issue(order)
    desk.try_("ABCDEFGH")
    desk.try_(ticket.code, date(1977, 7, 17))
    desk.try_(ticket.code)
    shown = repr(desk.audit.rows) + repr(desk.identify.claim(ticket.code))
    for secret in ("ABCDEFGH", ticket.code, "1977", "GARCIA", "1961", order.patient.patient_id):
        assert secret not in shown


@pytest.mark.parametrize(
    "text", ["", "*", "P?", "%", "A" * 65, "\x1b[2J12345678", "NOPE\\P1", "ABCDEFG", "' OR 1=1"]
)
def test_what_cannot_be_a_ticket_is_not_looked_up(text: str) -> None:
    desk = Desk(an_order())
    assert desk.identify.claim(text) is None
    assert desk.tickets.refusals == []


def test_ten_thousand_guesses_release_nothing() -> None:
    draw = random.Random(5)
    orders = [an_order(n, name=f"NAME{n}^X") for n in range(1, 51)]
    desk = Desk(*orders)
    tickets = [desk.issue(order) for order in orders]
    answers = set()
    for _ in range(10_000):
        if draw.random() < 0.5:
            text = "".join(draw.choice(ALPHABET) for _ in range(8))
            born = BORN
        else:  # a stolen ticket, the date guessed
            text = draw.choice(tickets).code
            born = date(1920, 1, 1) + timedelta(days=draw.randrange(30_000))
            if born == BORN:
                continue
        answers.add(repr(desk.try_(text, born)))
        desk.clock.advance(draw.choice((1, 30, 1000)))
    assert answers == {"Refusal()"}
    assert set(desk.clock.slept_s) == {1.5}
