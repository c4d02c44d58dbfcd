"""Without an engine: nothing can be begun, who waits is told, and it all comes back by itself."""

from __future__ import annotations

import pytest

from kiosk.domain.model import MediaChoice, Medium, OrderId, Priority, Step, Wanted
from kiosk.lobby import watch
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.question import QuestionScreen
from kiosk.lobby.screens.stopped import OutOfServiceScreen, StoppedScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.services.pulse import STALE_S
from tests.fakes.lobby import Hall, Visitor


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_S", 0.05)


async def test_the_welcome_says_so_and_comes_back(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        hall.stations.beat("hall")
        hall.stations.stop()
        hall.clock.advance(STALE_S)
        looks = len(hall.stations.asked)
        await visitor.until(lambda: len(hall.stations.asked) >= looks + 2)
        await visitor.sees(WelcomeScreen)  # it may only be late
        hall.clock.advance(1)
        await visitor.sees(OutOfServiceScreen)
        assert "This machine is out of service right now." in visitor.text()
        assert "Please ask at the desk." in visitor.text()
        assert not pilot.app.screen.query("#body TouchButton")
        assert set(hall.stations.asked) == {"hall"}
        hall.stations.beat("hall")
        await visitor.sees(WelcomeScreen)


async def test_nothing_begins_without_an_engine(hall: Hall) -> None:
    hall.stations.stop()  # it never ran
    async with hall.app(demo=True).run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(OutOfServiceScreen)
        await visitor.scan(hall.ticket.qr_text)
        await pilot.press("enter")
        await visitor.wait_s(hall.clock, 1)
        await visitor.sees(OutOfServiceScreen)
        hall.stations.run()
        await visitor.sees(WelcomeScreen)
        await visitor.makes_a_disc(hall)


async def test_a_ticket_typed_while_it_stops_begins_nothing(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.touch("#start")
        await visitor.sees(TicketScreen)
        hall.stations.stop()
        await visitor.until(lambda: visitor.app.is_closed)
        assert isinstance(pilot.app.screen, TicketScreen)  # nobody's hand is interrupted
        for character in hall.ticket.code:
            visitor.screen.typed(character)
        await pilot.pause()
        await visitor.touch("#go")
        await visitor.sees(OutOfServiceScreen)


async def test_whoever_waits_is_told_and_then_goes_on(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        assert "Your turn comes next" in visitor.text()
        hall.stations.stop()
        await visitor.sees(StoppedScreen)
        said = visitor.text()
        assert "Your turn comes next" not in said
        for words in ("The machine has stopped.", "Your order is kept.", "Please tell the staff."):
            assert words in said
        hall.stations.run()
        await visitor.sees(ProgressScreen)
        assert "Your turn comes next" in visitor.text()
        hall.stations.stop()
        await visitor.sees(StoppedScreen)
        await visitor.touch("#leave")
        await visitor.sees(OutOfServiceScreen)
        assert not hall.jobs.get(job_id).has_ended


async def test_an_engine_that_finishes_a_disc_has_not_stopped_yet(hall: Hall) -> None:
    """Told to stop it beats no more, but progress goes on."""
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(job_id, Step.WRITE, 1, 10)
        hall.stations.stop()
        await visitor.until(lambda: visitor.app.is_closed)
        await visitor.until(lambda: "▸ Writing" in visitor.text())
        await visitor.wait_s(hall.clock, STALE_S)
        await visitor.sees(ProgressScreen)
        await visitor.wait_s(hall.clock, 1)
        await visitor.sees(StoppedScreen)


async def test_nobody_is_asked_for_a_disc_that_nothing_takes(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.ask(hall.order.order_id, Wanted.BLANK_DISC)
        await visitor.sees(QuestionScreen)
        hall.stations.stop()
        await visitor.sees(StoppedScreen)
        hall.stations.run()
        await visitor.sees(QuestionScreen)


async def test_a_journal_that_is_away_closes_nothing(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        hall.stations.is_away = True
        looks = len(hall.stations.asked)
        await visitor.until(lambda: len(hall.stations.asked) >= looks + 3)
        await visitor.sees(WelcomeScreen)


async def test_whoever_waits_behind_another_job_is_told_so(hall: Hall) -> None:
    job_id, other = hall.order.order_id, OrderId("order-in-front")
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.submit(other, MediaChoice(Medium.DISC), Priority.WARD, actor="test")
        hall.jobs.at_step(job_id, Step.WRITE, note="queued.disc1")
        await visitor.until(lambda: "We begin in a moment." in visitor.text())
        assert "Another one" not in visitor.text()  # the other one is not at a drive yet
        hall.jobs.at_step(other, Step.WRITE, 1, 100)
        await visitor.until(lambda: "Another one is made first." in visitor.text())
        assert "Your turn comes next" in visitor.text()
        assert "▸ Writing" not in visitor.text()
        hall.jobs.ask(other, Wanted.OTHER_DISC)
        await pilot.pause()
        assert "tell the desk" not in visitor.text()
        hall.clock.advance(31)  # whoever was asked has had time
        hall.stations.beat("hall")
        await visitor.until(lambda: "Please tell the desk." in visitor.text())
        hall.jobs.done(other)
        await visitor.until(lambda: "We begin in a moment." in visitor.text())
