"""Placing orders: once, for the waiting patient, whatever happens in between."""

from __future__ import annotations

import dataclasses

import pytest

from kiosk.domain.claim import ClaimPath
from kiosk.domain.model import HandOver, MediaChoice, Medium, OrderId, Priority
from kiosk.errors import ConfigError, InvalidValueError, JournalError, RefusedClaimError
from kiosk.services.identify import Release, issue_ticket
from kiosk.services.request import MAX_COPIES, Request
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import FakeJobs
from tests.fakes.orders import an_order
from tests.fakes.tickets import FakeTickets
from tests.unit.kiosk.test_identify import KEYS

DISC, STICK = MediaChoice(Medium.DISC), MediaChoice(Medium.STICK)
DISC_ON_CLAIM = MediaChoice(Medium.DISC, 1, HandOver.ON_CLAIM)


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
    job_id = hall.request.place(hall.release, DISC)
    assert hall.jobs.submitted == [
        (hall.order.order_id, DISC_ON_CLAIM, Priority.WAITING_PATIENT, "kiosk:hall")
    ]
    assert hall.is_used
    assert hall.jobs.get(job_id).choice.medium is Medium.DISC


def test_a_medium_without_a_drive_is_refused_and_the_ticket_stays_good() -> None:
    hall = Hall()
    request = Request(
        jobs=hall.jobs,
        tickets=hall.tickets,
        clock=hall.clock,
        kiosk="hall",
        offered=(Medium.STICK,),
    )
    with pytest.raises(ConfigError, match="no drive for disc"):
        request.place(hall.release, DISC)
    assert hall.jobs.submitted == []
    assert not hall.is_used
    job_id = request.place(hall.release, STICK)
    assert request.place(hall.release, DISC) == job_id  # the one that runs


def test_twice_is_once() -> None:
    hall = Hall()
    first = hall.request.place(hall.release, DISC)
    assert hall.request.place(hall.release, STICK) == first
    assert len(hall.jobs.submitted) == 1
    assert hall.jobs.get(first).choice == DISC_ON_CLAIM


def test_a_failed_job_is_placed_anew() -> None:
    hall = Hall()
    job_id = hall.request.place(hall.release, DISC)
    hall.jobs.fail(job_id, "archive.incomplete")
    assert hall.request.place(hall.release, STICK) == job_id
    assert [it[1].medium for it in hall.jobs.submitted] == [Medium.DISC, Medium.STICK]
    assert not hall.jobs.get(job_id).has_ended
    assert hall.request.place(hall.release, DISC) == job_id  # and joined while it runs
    assert len(hall.jobs.submitted) == 2


def test_what_was_handed_out_is_refused() -> None:
    hall = Hall()
    job_id = hall.request.place(hall.release, DISC)
    hall.jobs.done(job_id)
    hall.jobs.is_released = lambda _order_id: False  # as it is COLLECTED with the job's end
    with pytest.raises(RefusedClaimError):
        hall.request.place(hall.release, DISC)
    assert len(hall.jobs.submitted) == 1


def test_two_kiosks_at_once_make_one_job() -> None:
    hall = Hall()
    submit_all = hall.jobs.submit_all

    def late(*args: object, **names: object) -> tuple[OrderId, ...]:
        hall.jobs.submit(hall.order.order_id, STICK, Priority.WAITING_PATIENT, actor="kiosk:other")
        return submit_all(*args, **names)  # type: ignore[arg-type]  # passed on as they came

    hall.jobs.submit_all = late  # type: ignore[method-assign, assignment]  # the other is quicker
    job_id = hall.request.place(hall.release, DISC)
    assert hall.jobs.get(job_id).choice.medium is Medium.STICK
    assert [it[3] for it in hall.jobs.submitted] == ["kiosk:other"]


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


def several(hall: Hall) -> tuple[Release, list[OrderId]]:
    """A release of three exams, and their ids with the oldest first."""
    orders = (hall.order, *(an_order(n, patient_id="P00001") for n in (2, 3)))
    release = Release(hall.release.ticket_id, orders, None)
    return release, [order.order_id for order in reversed(orders)]


def test_several_exams_are_several_jobs_in_the_order_that_was_chosen() -> None:
    hall = Hall()
    release, wanted = several(hall)
    assert hall.request.place_all(release, DISC, wanted) == tuple(wanted)
    assert [it[0] for it in hall.jobs.submitted] == wanted
    assert {it[1] for it in hall.jobs.submitted} == {DISC_ON_CLAIM}
    assert hall.is_used
    assert hall.request.place_all(release, STICK, [*wanted, *wanted]) == tuple(wanted)
    assert len(hall.jobs.submitted) == 3


def test_one_of_several_that_is_held_by_now_stops_all_of_them() -> None:
    hall = Hall()
    release, wanted = several(hall)
    hall.jobs.is_released = lambda order_id: order_id != wanted[1]
    with pytest.raises(RefusedClaimError):
        hall.request.place_all(release, DISC, wanted)
    assert hall.jobs.submitted == []
    assert not hall.is_used
    hall.jobs.is_released = lambda _order_id: True  # released again: his ticket is still good
    assert hall.request.place_all(release, DISC, wanted) == tuple(wanted)
    assert hall.is_used


def test_after_an_error_asking_again_places_all() -> None:
    hall = Hall()
    release, wanted = several(hall)
    submit_all = hall.jobs.submit_all

    def breaks(*_args: object, **_names: object) -> tuple[OrderId, ...]:
        raise JournalError("the disk is full")

    hall.jobs.submit_all = breaks  # type: ignore[method-assign, assignment]  # for a moment
    with pytest.raises(JournalError):
        hall.request.place_all(release, DISC, wanted)
    assert not hall.is_used
    hall.jobs.submit_all = submit_all  # type: ignore[method-assign]  # there is room again
    assert hall.request.place_all(release, DISC, wanted) == tuple(wanted)
    assert [it[0] for it in hall.jobs.submitted] == wanted
    assert hall.is_used


def test_only_what_was_released_is_placed() -> None:
    hall = Hall()
    release, wanted = several(hall)
    for order_ids in ([], [OrderId("order-0009")], [*wanted, OrderId("order-0009")]):
        with pytest.raises(InvalidValueError):
            hall.request.place_all(release, DISC, order_ids)
    assert hall.jobs.submitted == []
    assert not hall.is_used


def test_a_claim_without_a_ticket_uses_none_up() -> None:
    hall = Hall()
    for path in (ClaimPath.WRISTBAND, ClaimPath.LICENCE):
        hall.request.place(Release("", (hall.order,), None, path), DISC)
    ((_, choice, _, _),) = hall.jobs.submitted
    assert choice == dataclasses.replace(DISC_ON_CLAIM, is_images_only=True)
    assert not hall.is_used
