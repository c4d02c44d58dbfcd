"""Claims on the real tables: what must survive a restart does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from kiosk.adapters.journal import Journal
from kiosk.domain.model import ReleaseState
from kiosk.domain.ticket import MAX_TRIES, Ticket
from kiosk.services.identify import Identify, Refusal, Release, issue_ticket
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import FakeJobs
from tests.fakes.lobby import KEYS
from tests.fakes.orders import an_order
from tests.fakes.station import open_test_journal, sqlite_url

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
            keys=KEYS,
            kiosk="hall",
        )

    def issue(self, number: int = 1) -> Ticket:
        order = an_order(number, name=f"NAME{number}^EVE")
        if number not in {int(it.order_id[-4:]) for it in self.journal.orders.newest()}:
            self.journal.orders.add(order, actor="test")
        return issue_ticket(
            order, tickets=self.journal.tickets, clock=self.clock, keys=KEYS, actor="staff:test"
        )

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
