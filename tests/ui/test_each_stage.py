"""At each stage of a real visit: a scan that is none of ours, somebody else's ticket, no room."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.widgets.screen import KioskScreen
from kiosk.widgets.wording import too_small_words
from tests.fakes.lobby import Hall, Visitor
from tests.fakes.orders import an_order
from tests.ui.journey import STAGES, a_site_that_asks_everything, journey
from tests.ui.test_guard import NOT_OURS, shown

STOPPED = "stopped"  # nothing begins while no engine runs


@pytest.fixture
def hall() -> Hall:
    return a_site_that_asks_everything()


async def test_the_journey_comes_past_every_stage(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        assert [it async for it in journey(Visitor(pilot), hall)] == list(STAGES)


async def test_a_scan_of_nothing_is_answered_at_every_stage(hall: Hall) -> None:
    """And changes nothing: the same screen, what was typed on it, the visit behind it."""
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        async for stage in journey(visitor, hall):
            screen, visit = visitor.app.current(), visitor.app._visit
            for scan in NOT_OURS[:2]:
                await visitor.scan(scan)
                await visitor.until(lambda: "not one of our tickets" in visitor.text())
                assert visitor.app.current() is screen, stage
                assert visitor.app.screen is screen, stage  # a help page would hide the answer
                assert visitor.app._visit is visit, stage
                visitor.screen.notice("")
    assert [it[0] for it in hall.jobs.submitted] == [hall.order.order_id]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("stage", STAGES)
async def test_somebody_elses_ticket_mixes_nothing(hall: Hall, stage: str) -> None:
    other = an_order(2, name="SMITH^JOHN")
    hall.orders.add(other, actor="test")
    theirs = hall.issue(other)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        app = visitor.app
        async for at in journey(visitor, hall):
            if at == stage:
                break
        before, followed = app._visit, app._visit.job_id
        await visitor.scan(theirs.qr_text)
        if stage == STOPPED:
            await visitor.until(lambda: "out of service" in visitor.text())
        else:
            await visitor.sees(BirthDateScreen)
        visit = app._visit
        assert visit is not before
        assert before.is_over
        assert (visit.release, visit.chosen, visit.recipient, visit.job_id) == (None,) * 4
        assert (visit.password, visit.typed_name, visit.jobs_left) == (None, "", ())
        assert app._receipt is None
        assert app._last_job is None
        assert "Maria" not in visitor.text()
        if followed is not None:
            await visitor.until(lambda: hall.presence.told[-1] == ("leave", followed))
        if stage != STOPPED:
            await visitor.birth_date()
            await visitor.sees(IsThisYouScreen)
            assert "John S." in visitor.text()
            assert app._visit.release is not None
            assert app._visit.release.order == other
        placed = {it[0] for it in hall.jobs.submitted}
        assert placed <= {hall.order.order_id}


async def _fits(visitor: Visitor, pilot: Pilot[None], size: tuple[int, int]) -> None:
    await pilot.resize_terminal(*size)
    screen = pilot.app.screen
    await visitor.until(lambda: (screen.size.width, screen.size.height) == size)
    await pilot.pause()


async def test_no_room_and_room_again_at_every_stage(hall: Hall) -> None:
    """Nothing can be pressed that is not seen; afterwards all is as it was."""
    async with hall.app().run_test(size=(80, 24)) as pilot:
        visitor = Visitor(pilot)
        async for stage in journey(visitor, hall):
            screen, visit = pilot.app.screen, visitor.app._visit
            await pilot.pause()
            before = await shown(pilot)
            await _fits(visitor, pilot, (20, 5))
            if isinstance(screen, KioskScreen):
                body = screen.query_one("#body")
                await visitor.until(lambda body=body: not body.region)
                assert await shown(pilot) in too_small_words(), stage
                await pilot.press("enter")
                await visitor.until(lambda: not visitor.app._scanner.is_holding)
            assert pilot.app.screen is screen, stage
            await _fits(visitor, pilot, (80, 24))
            assert visitor.app._visit is visit, stage
            await visitor.until_shown(before, stage)
    assert [it[0] for it in hall.jobs.submitted] == [hall.order.order_id]
