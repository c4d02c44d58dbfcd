"""Whose touches and scans they are nobody knows: what they may do to a visit that is not theirs."""

from __future__ import annotations

import pytest

from kiosk.domain.model import Step, Wanted
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.medium import MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.question import QuestionScreen
from kiosk.lobby.screens.sentence import MomentScreen, ThanksScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from tests.fakes.lobby import Hall, Visitor
from tests.fakes.orders import an_order
from tests.fakes.passwords import PASSWORD
from tests.ui.hanging import Hanging

CLOSES = "this page closes in one minute"


@pytest.fixture
def hall() -> Hall:
    return Hall(visit_s=180.0)


async def _touch_on(visitor: Visitor, hall: Hall, seconds: float) -> None:
    """Somebody touches every half minute, so that no warning ever comes."""
    for _ in range(int(seconds // 30)):
        await visitor.wait_s(hall.clock, 30)
        await visitor.pilot.press("tab")


async def test_touches_keep_a_progress_page_for_a_time_only(hall: Hall) -> None:
    """Its owner was asked to take a seat."""
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(hall.order.order_id, Step.WRITE, 1, 100)
        await _touch_on(visitor, hall, hall.parts.visit_s - 60)
        await visitor.sees(ProgressScreen)
        await visitor.until(lambda: CLOSES in visitor.text())
        await _touch_on(visitor, hall, 60)
        await visitor.sees(WelcomeScreen)
        job_id = hall.order.order_id
        await visitor.until(lambda: hall.presence.told[-1] == ("leave", job_id))
        # Ticket and birth date open it again, for as long again.
        await visitor.says_who_he_is_from_anywhere(hall)
        await visitor.sees(ProgressScreen)
        await _touch_on(visitor, hall, hall.parts.visit_s - 90)
        await visitor.sees(ProgressScreen)


async def test_the_time_to_the_order_is_not_taken_off(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)
        await _touch_on(visitor, hall, hall.parts.visit_s - 120)
        await visitor.birth_date()
        await visitor.sees(IsThisYouScreen)
        await visitor.touch("#yes")
        await visitor.sees(ExamsScreen)
        await visitor.touch("#go")
        await visitor.sees(MediumScreen)
        await visitor.touch("#medium-disc")
        await visitor.sees(ProgressScreen)
        await _touch_on(visitor, hall, hall.parts.visit_s - 60)
        await visitor.sees(ProgressScreen)


async def test_no_button_gives_the_page_more_time(hall: Hall) -> None:
    """Neither another language, which makes the page anew, nor answers to what it asks."""
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        for at in range(6):
            hall.jobs.ask(job_id, Wanted.BLANK_DISC)
            await visitor.sees(QuestionScreen)
            await visitor.wait_s(hall.clock, 30)
            if at == 5:
                break
            await visitor.touch("#done")
            await visitor.until(lambda at=at: len(hall.jobs.answers) == at + 1)
            hall.jobs.at_step(job_id, Step.WRITE, at, 100)
            await visitor.sees(ProgressScreen)
            visitor.app.change_comfort(visitor.app.comfort)
            await visitor.sees(ProgressScreen)
        await visitor.sees(WelcomeScreen)


async def test_an_open_tray_is_time_to_take_the_disc(hall: Hall) -> None:
    """It opened in the page's last seconds."""
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(hall.order.order_id, Step.WRITE, 1, 100)
        await _touch_on(visitor, hall, hall.parts.visit_s - 30)
        hall.jobs.ask(hall.order.order_id, Wanted.TAKE_MEDIUM)
        hall.jobs.at_step(hall.order.order_id, Step.HAND_OVER)
        await visitor.sees(ThanksScreen)
        await visitor.wait_s(hall.clock, 40)
        await visitor.sees(ThanksScreen)


async def test_a_password_is_gone_with_the_page(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(hall)
        await visitor.sees(MediumScreen)
        await visitor.touch("#protect")
        await visitor.until(lambda: "✓ yes" in visitor.text())
        await visitor.touch("#medium-disc")
        await visitor.sees(ProgressScreen)
        hall.jobs.at_step(job_id, Step.WRITE, 1, 100)
        await visitor.until(lambda: PASSWORD.text in visitor.text())
        await _touch_on(visitor, hall, hall.parts.visit_s)
        await visitor.sees(WelcomeScreen)
        assert PASSWORD.text not in visitor.text()


@pytest.mark.parametrize(
    "wanted",
    [it for it in Wanted if it is not Wanted.CLAIM],
)
@pytest.mark.parametrize("demo", [False, True], ids=["", "demo"])
async def test_whoever_is_asked_for_something_may_leave(wanted: Wanted, *, demo: bool) -> None:
    """No disc at hand, a stick left at home, a robot that needs a hand: the order is kept."""
    hall = Hall()
    job_id = hall.order.order_id
    async with hall.app(demo=demo).run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        question = hall.jobs.ask(job_id, wanted)
        await visitor.sees(QuestionScreen)
        assert "your order is kept" in visitor.said()
        await visitor.touch("#leave")
        await visitor.sees(WelcomeScreen)
        assert hall.jobs.answers == []
        assert hall.jobs.get(job_id).question == question
        await visitor.until(lambda: hall.presence.told[-1] == ("leave", job_id))
        await visitor.says_who_he_is_from_anywhere(hall)
        await visitor.sees(QuestionScreen)
        assert isinstance(visitor.screen, QuestionScreen)
        assert visitor.screen.question == question


async def test_a_scan_while_somebody_is_looked_up_is_answered(hall: Hall) -> None:
    other = an_order(2, name="SMITH^JOHN")
    hall = Hall(hall.order, other)
    theirs = hall.issue(other)
    with Hanging() as hanging:
        hanging.at(hall.orders, "get")
        async with hall.app().run_test() as pilot:
            visitor = Visitor(pilot)
            await visitor.sees(WelcomeScreen)
            await visitor.identify(hall.ticket)
            await visitor.sees(MomentScreen)
            await visitor.scan(theirs.qr_text)
            await visitor.until(lambda: "Then scan again" in visitor.text())
            await visitor.sees(MomentScreen)
            hanging.let_go()
            await visitor.until(lambda: "Maria G." in visitor.text())
            await visitor.scan(theirs.qr_text)
            await visitor.sees(BirthDateScreen)
            assert visitor.app._visit.release is None
