"""Claims on the real tables: what must survive a restart does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from kiosk.adapters.journal import Journal
from kiosk.domain.claim import Answers, Reading
from kiosk.domain.facts import SecondFacts
from kiosk.domain.model import Order, ReleaseState
from kiosk.domain.ticket import MAX_TRIES, Ticket
from kiosk.services.identify import (
    Identify,
    IdentifyPolicy,
    Refusal,
    Release,
    issue_ticket,
    unlock,
)
from kiosk.services.tries import MANY_REFUSALS
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import FakeJobs
from tests.fakes.lobby import KEYS
from tests.fakes.orders import an_order
from tests.fakes.station import open_test_journal, sqlite_url
from tests.unit.kiosk.test_licence import card

BORN, WRONG = date(1961, 3, 3), date(1961, 3, 4)


class Kiosk:
    """One process after the other on the same file."""

    def __init__(self, folder: Path) -> None:
        self.url, self.clock = sqlite_url(folder), FakeClock()
        self.journal: Journal
        self.restart(first=True)

    def restart(self, *, first: bool = False) -> None:
        if not first:
            self.journal.close()
        self.journal = open_test_journal(self.url, self.clock)
        self.identify = Identify(
            orders=self.journal.orders,
            tickets=self.journal.tickets,
            jobs=FakeJobs(self.clock),
            clock=self.clock,
            audit=self.journal.audit,
            calls=self.journal.calls,
            keys=KEYS,
            kiosk="hall",
            policy=IdentifyPolicy(reading=Reading(wristband=True, licence=True)),
        )

    def issue(self, number: int = 1) -> Ticket:
        order = an_order(number, name=f"NAME{number}^EVE")
        if number not in {int(it.order_id[-4:]) for it in self.journal.orders.newest()}:
            self.journal.orders.add(order, actor="test")
        return issue_ticket(
            order, tickets=self.journal.tickets, clock=self.clock, keys=KEYS, actor="staff:test"
        )

    def add_flagged(self) -> Order:
        facts = SecondFacts("V-0001", "4711", "12345")
        order = an_order(1, study_date="20260305", send_home=True, facts=facts)
        self.journal.orders.add(order, actor="test")
        return order

    def scan(self, text: str, digits: str = "4711") -> Release | Refusal:
        claim = self.identify.claim(text, is_scanned=True)
        assert claim is not None
        return self.identify.confirm(claim, Answers(BORN, digits))

    def try_(self, text: str, born: date = BORN) -> Release | Refusal:
        claim = self.identify.claim(text)
        assert claim is not None
        return self.identify.confirm(claim, born)


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    found = Kiosk(tmp_path)
    yield found
    found.journal.close()


def test_release_on_the_real_tables(kiosk: Kiosk) -> None:
    ticket = kiosk.issue()
    for text in (ticket.code, ticket.qr_text):
        release = kiosk.try_(text)
        assert isinstance(release, Release)
    assert ticket.code.encode() not in Path(kiosk.url.removeprefix("sqlite:///")).read_bytes()
    assert kiosk.journal.audit.verify() > 0


def test_the_lock_of_a_ticket_survives_restarts(kiosk: Kiosk) -> None:
    ticket = kiosk.issue()
    for _ in range(MAX_TRIES):
        assert kiosk.try_(ticket.code, WRONG) == Refusal()
        kiosk.restart()
    assert kiosk.try_(ticket.code) == Refusal()
    assert isinstance(kiosk.try_(kiosk.issue().code), Release)  # a new ticket is a new start


def test_the_pause_of_a_kiosk_survives_restarts(kiosk: Kiosk) -> None:
    ticket = kiosk.issue()
    for _ in range(6):
        assert kiosk.try_("00000000") == Refusal()
    kiosk.restart()
    assert kiosk.try_(ticket.code) == Refusal()
    kiosk.clock.advance(60)
    assert isinstance(kiosk.try_(ticket.code), Release)


def test_a_hold_that_comes_after_the_ticket(kiosk: Kiosk) -> None:
    ticket = kiosk.issue()
    order_id = an_order(1).order_id
    kiosk.journal.orders.set_state(order_id, ReleaseState.HELD, actor="staff:test")
    assert kiosk.try_(ticket.code) == Refusal()
    kiosk.journal.orders.set_state(order_id, ReleaseState.RELEASED, actor="staff:test")
    assert isinstance(kiosk.try_(ticket.code), Release)


def test_a_number_or_card_releases_on_the_real_tables(kiosk: Kiosk) -> None:
    order = kiosk.add_flagged()
    for text in ("V-0001", "A00001", card()):
        release = kiosk.scan(text)
        assert isinstance(release, Release)
        assert release.order == order


def test_tries_without_a_ticket_survive_restarts_and_staff_unlock_them(kiosk: Kiosk) -> None:
    for _ in range(MAX_TRIES):  # before anybody knows of the exam
        assert kiosk.scan("V-0001") == Refusal()
        kiosk.restart()
    order = kiosk.add_flagged()
    assert kiosk.scan("V-0001") == Refusal()
    kiosk.clock.advance(1800)
    for _ in range(MAX_TRIES):
        assert kiosk.scan("A00001", "0000") == Refusal()
        kiosk.restart()
    kiosk.clock.advance(1800)
    for text in ("V-0001", "A00001", card()):
        assert kiosk.scan(text) == Refusal()
    kiosk.clock.advance(1800)
    assert unlock(order, tickets=kiosk.journal.tickets, keys=KEYS, actor="staff:test") > 0
    for text in ("V-0001", "A00001", card()):
        assert isinstance(kiosk.scan(text), Release)
    stored = Path(kiosk.url.removeprefix("sqlite:///") + "-wal").read_bytes()
    assert b"claim.unlocked" in stored


def test_the_alert_of_a_kiosk_is_not_repeated_after_a_restart(kiosk: Kiosk) -> None:
    for number in range(14):
        kiosk.scan(f"B{number:05}")
        kiosk.restart()
        kiosk.clock.advance(200)
    (row,) = kiosk.journal.audit.rows(event=MANY_REFUSALS)
    assert (row.subject, row.outcome, row.details["refusals"]) == ("hall", 8, "11")
    assert kiosk.journal.audit.verify() > 14
