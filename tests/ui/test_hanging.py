"""What never comes back: a visit is wiped and staff are called, whatever hangs."""

from __future__ import annotations

import pytest

from kiosk.domain.model import Step, Wanted
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.medium import MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.receipt import ReceiptScreen
from kiosk.lobby.screens.sentence import GoodbyeScreen, MomentScreen, SorryScreen, ThanksScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from tests.fakes.lobby import Hall, Visitor
from tests.ui.hanging import Hanging
from tests.ui.test_receipt import Desk, takes_it


@pytest.fixture
def hall() -> Hall:
    return Hall()


async def _is_given_up(visitor: Visitor, hall: Hall) -> None:
    """However often it is touched meanwhile."""
    await visitor.wait_s(hall.clock, 0)  # the app has seen that it waits
    for _ in range(3):
        await visitor.wait_s(hall.clock, hall.parts.busy_s / 3 - 1)
        await visitor.pilot.press("tab")
        await visitor.sees(MomentScreen)
    await visitor.wait_s(hall.clock, 10)
    await visitor.sees(SorryScreen)
    assert "does not answer" in visitor.text()
    assert "go to the desk" in visitor.text()
    await visitor.until(lambda: [it.where for it in hall.calls.rows.values()] == ["NoAnswer"])


async def test_a_claim_that_is_never_decided(hall: Hall) -> None:
    with Hanging() as hanging:
        hanging.at(hall.orders, "get")
        async with hall.app().run_test() as pilot:
            visitor = Visitor(pilot)
            await visitor.sees(WelcomeScreen)
            await visitor.identify(hall.ticket)
            await visitor.until(hanging.is_in.is_set)
            await _is_given_up(visitor, hall)
            assert visitor.app._visit.claim is None
            await visitor.touch("#stop")
            await visitor.sees(WelcomeScreen)
            # An answer that comes after all is nobody's.
            hanging.let_go()
            await visitor.wait_s(hall.clock, 1)
            await visitor.sees(WelcomeScreen)
            assert visitor.app._visit.release is None
            # And the next one is served.
            await visitor.scan(hall.ticket.qr_text)
            await visitor.sees(BirthDateScreen)


async def test_an_order_that_is_never_placed(hall: Hall) -> None:
    """If it is placed after all, the ticket finds it."""
    with Hanging() as hanging:
        hanging.at(hall.jobs, "submit_all")
        async with hall.app().run_test() as pilot:
            visitor = Visitor(pilot)
            await visitor.wants_all_exams(hall)
            await visitor.sees(MediumScreen)
            await visitor.touch("#medium-disc")
            await visitor.until(hanging.is_in.is_set)
            await _is_given_up(visitor, hall)
            assert visitor.app._visit.job_id is None
            hanging.let_go()
            await visitor.until(lambda: hall.order.order_id in hall.jobs.rows)
            await visitor.wait_s(hall.clock, hall.parts.idle_s + 1)
            await visitor.sees(WelcomeScreen)
            await visitor.says_who_he_is_from_anywhere(hall)
            await visitor.sees(ProgressScreen)


@pytest.mark.parametrize("method", ["state", "print"])
async def test_a_receipt_printer_that_hangs(method: str) -> None:
    desk = Desk()
    with Hanging() as hanging:
        hanging.at(desk.printer, "print_paper" if method == "print" else method)
        async with desk.hall.app().run_test() as pilot:
            visitor = Visitor(pilot)
            await takes_it(visitor, desk)
            if method == "state":
                await visitor.sees(MomentScreen)
                await visitor.until(hanging.is_in.is_set)
                await visitor.wait_s(desk.hall.clock, 0)
                await visitor.wait_s(desk.hall.clock, desk.hall.parts.busy_s + 1)
                await visitor.sees(GoodbyeScreen)  # the medium is in his hand
                await visitor.until(lambda: desk.hall.calls.rows)
            else:
                await visitor.sees(ReceiptScreen)
                await visitor.touch("#print")
                await visitor.until(hanging.is_in.is_set)
            await visitor.wait_s(desk.hall.clock, desk.hall.parts.idle_s + 1)
            await visitor.sees(WelcomeScreen)
            assert visitor.app._receipt is None
            await visitor.scan(desk.hall.ticket.qr_text)
            await visitor.sees(BirthDateScreen)


async def test_a_journal_that_hangs_while_it_is_watched(hall: Hall) -> None:
    """A lock in the database: what is shown says that it may be old, and the page ends as ever."""
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(job_id, Step.WRITE, 1, 100)
        await visitor.until(lambda: "▸ Writing" in visitor.text())
        get = hall.jobs.get
        with Hanging() as hanging:
            hanging.at(hall.jobs, "get")
            await visitor.until(hanging.is_in.is_set)
            await visitor.wait_s(hall.clock, 30)
            await visitor.until(lambda: "cannot see how far it is" in visitor.text())
            await visitor.wait_s(hall.clock, hall.parts.progress_idle_s)
            await visitor.sees(WelcomeScreen)
            hall.jobs.get = get  # type: ignore[method-assign]  # well again, but for one call
            await visitor.says_who_he_is_from_anywhere(hall)
            await visitor.until(lambda: "▸ Writing" in visitor.text())
            hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
            hall.jobs.at_step(job_id, Step.HAND_OVER)
            await visitor.sees(ThanksScreen)


async def test_a_call_for_staff_that_hangs_is_not_promised(hall: Hall) -> None:
    with Hanging() as hanging:
        hanging.at(hall.calls, "call")
        async with hall.app().run_test() as pilot:
            visitor = Visitor(pilot)
            await visitor.sees(WelcomeScreen)
            await visitor.touch("#aid-call")
            await visitor.until(lambda: "We are calling somebody" in visitor.text())
            await visitor.until(hanging.is_in.is_set)
            await visitor.wait_s(hall.clock, 25)
            await visitor.until(lambda: "did not get through" in visitor.text())
            hanging.let_go()  # it has, after all
            await visitor.until(lambda: visitor.app._call is not None)


async def test_many_that_hang_leave_threads_for_the_others(hall: Hall) -> None:
    """asyncio's own pool has six of them on a small machine."""
    get = hall.orders.get
    with Hanging() as hanging:
        async with hall.app().run_test() as pilot:
            visitor = Visitor(pilot)
            hanging.at(hall.orders, "get")
            for _ in range(10):
                await visitor.sees(WelcomeScreen)
                await visitor.identify(hall.ticket)
                await visitor.sees(MomentScreen)
                visitor.app.end_visit()
            hall.orders.get = get  # type: ignore[method-assign]
            await visitor.touch("#aid-call")
            await visitor.until(lambda: hall.calls.rows)
