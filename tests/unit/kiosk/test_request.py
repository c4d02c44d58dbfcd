"""Placing orders: once, for the waiting patient, whatever happens in between."""

from __future__ import annotations

import pytest

from kiosk.domain.model import MediaChoice, Medium, Priority
from kiosk.errors import InvalidValueError
from kiosk.services.identify import Release, issue_ticket
from kiosk.services.request import MAX_COPIES, Request
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import FakeJobs
from tests.fakes.orders import an_order
from tests.fakes.tickets import FakeTickets
from tests.unit.kiosk.test_identify import KEYS

DISC, STICK = MediaChoice(Medium.DISC), MediaChoice(Medium.STICK)


class Hall:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.jobs, self.tickets = FakeJobs(self.clock), FakeTickets()
        self.order = an_order()
        ticket = issue_ticket(
            self.order, tickets=self.tickets, clock=self.clock, keys=KEYS, actor="staff:test"
        )
        self.release = Release(ticket.ticket_id, (self.order,), None)
        self.request = Request(jobs=self.jobs, tickets=self.tickets, clock=self.clock, kiosk="hall")

    @property
    def is_used(self) -> bool:
        return next(iter(self.tickets.rows.values())).used_at is not None


def test_placing_submits_for_a_waiting_patient_and_uses_the_ticket() -> None:
    hall = Hall()
    assert hall.request.running(hall.release) is None
    job_id = hall.request.place(hall.release, DISC)
    assert hall.jobs.submitted == [
        (hall.order.order_id, DISC, Priority.WAITING_PATIENT, "kiosk:hall")
    ]
    assert hall.is_used
    running = hall.request.running(hall.release)
    assert running is not None
    assert running.job_id == job_id


def test_twice_is_once() -> None:
    hall = Hall()
    first = hall.request.place(hall.release, DISC)
    assert hall.request.place(hall.release, STICK) == first
    assert len(hall.jobs.submitted) == 1
    assert hall.jobs.get(first).choice == DISC


def test_power_cut_between_job_and_ticket() -> None:
    hall = Hall()

    def cut(ticket_id: str, at: object) -> None:
        raise KeyboardInterrupt

    mark_used = hall.tickets.mark_used
    hall.tickets.mark_used = cut  # type: ignore[method-assign, assignment]  # the lights go out
    with pytest.raises(KeyboardInterrupt):
        hall.request.place(hall.release, DISC)
    hall.tickets.mark_used = mark_used  # type: ignore[method-assign]  # and on again
    hall.request.place(hall.release, DISC)
    assert len(hall.jobs.submitted) == 1
    assert hall.is_used


@pytest.mark.parametrize("copies", [0, -1, MAX_COPIES + 1])
def test_copies_have_bounds(copies: int) -> None:
    hall = Hall()
    with pytest.raises(InvalidValueError):
        hall.request.place(hall.release, MediaChoice(Medium.DISC, copies))
    assert hall.jobs.submitted == []
    assert not hall.is_used
