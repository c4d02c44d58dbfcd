"""A whole visit by touch, by scanner and by keyboard, and every way in which it ends early."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.model import (
    ExecutionStatus,
    HandOver,
    MediaChoice,
    Medium,
    OrderId,
    Priority,
    ReleaseState,
    Step,
    Wanted,
)
from kiosk.domain.protection import JobPassword, Protect
from kiosk.domain.rates import Rates, StepTime
from kiosk.domain.unfit import Unfit
from kiosk.errors import JournalError, PasswordLostError
from kiosk.lobby.password import PasswordNote
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.medium import CopiesScreen, MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.question import QuestionScreen
from kiosk.lobby.screens.sentence import GoodbyeScreen, SorryScreen, ThanksScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.widgets.unusable import unfit_words
from tests.fakes.lobby import Hall, Visitor
from tests.fakes.orders import an_order
from tests.fakes.passwords import PASSWORD, FakePasswords


def on_claim(medium: Medium, copies: int = 1) -> MediaChoice:
    """What the lobby places: it leaves the drive only while its owner is there."""
    return MediaChoice(medium, copies, HandOver.ON_CLAIM)


SIZES = [(80, 24), (64, 20), (120, 36)]


@pytest.mark.parametrize("size", SIZES)
async def test_from_welcome_to_goodbye_by_touch(hall: Hall, size: tuple[int, int]) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test(size=size) as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.touch("#start")
        await visitor.sees(TicketScreen)
        for character in hall.ticket.code:
            await visitor.touch(f"#key-{character}")
        await visitor.touch("#go")
        await visitor.sees(BirthDateScreen)
        for digit in "03031961":
            await visitor.touch(f"#key-{digit}")
        assert "3 March 1961" in visitor.text()
        await visitor.touch("#go")
        await visitor.sees(IsThisYouScreen)
        assert "Maria G." in visitor.text()
        assert "CT scan, 3 March 2026" in visitor.text()
        assert "arcia" not in visitor.text()  # the family's initial only
        await visitor.touch("#yes")
        await visitor.sees(ExamsScreen)
        assert "all images" in visitor.text()
        await visitor.touch("#go")
        await visitor.sees(MediumScreen)
        assert hall.jobs.submitted == []  # nothing is made before all is said
        await visitor.touch("#medium-disc")
        await visitor.sees(ProgressScreen)
        assert hall.jobs.submitted == [
            (job_id, on_claim(Medium.DISC), Priority.WAITING_PATIENT, "kiosk:hall")
        ]
        assert "Your turn comes next" in visitor.text()

        hall.jobs.at_step(job_id, Step.RETRIEVE, 50, 100)
        await visitor.until(lambda: "▸ Fetching your images" in visitor.text())
        question = hall.jobs.ask(job_id, Wanted.BLANK_DISC)
        await visitor.sees(QuestionScreen)
        assert "blank disc" in visitor.text()
        await visitor.touch("#done")
        await visitor.until(lambda: hall.jobs.answers == [(job_id, question.number)])
        await visitor.sees(ProgressScreen)
        hall.jobs.at_step(job_id, Step.WRITE, 10, 100)
        await visitor.until(lambda: "▸ Writing" in visitor.text())
        assert "✓ Fetching your images" in visitor.text()
        hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
        taken = hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        assert "The tray is open" in visitor.text()
        await visitor.touch("#stop")
        await visitor.sees(GoodbyeScreen)
        await visitor.until(lambda: hall.jobs.answers[-1] == (job_id, taken.number))
        await visitor.touch("#bye")
        await visitor.sees(WelcomeScreen)


async def test_by_keyboard_alone(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await pilot.press("enter")
        await visitor.sees(TicketScreen)
        await visitor.types(hall.ticket.code.lower() + "x")  # one too many is not taken
        await pilot.press("enter")
        await visitor.sees(BirthDateScreen)
        await visitor.types("04")
        await pilot.press("backspace")
        await visitor.types("3031961")
        await pilot.press("enter")
        await visitor.sees(IsThisYouScreen)
        await pilot.press("enter")  # nothing has the focus: a late Enter does not answer
        await visitor.sees(IsThisYouScreen)
        await pilot.press("tab", "tab", "space")
        await visitor.sees(ExamsScreen)
        await pilot.press("enter")
        await visitor.sees(MediumScreen)
        await pilot.press("down", "down", "enter")
        await visitor.sees(ProgressScreen)
        assert hall.jobs.submitted[0][1] == on_claim(Medium.STICK)


async def test_copies_and_a_single_medium() -> None:
    hall = Hall(media=(Medium.STICK,), max_copies=3, protect=Protect.OFF)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(hall)
        await visitor.sees(CopiesScreen)
        await visitor.touch("#copies-3")
        await visitor.sees(ProgressScreen)
        assert hall.jobs.submitted[0][1] == on_claim(Medium.STICK, 3)


def refused_halls() -> dict[str, tuple[Hall, str]]:
    """A hall and the birth date to type, for every reason a claim can fail."""
    found: dict[str, tuple[Hall, str]] = {}
    for state in (ReleaseState.HELD, ReleaseState.CANCELLED, ReleaseState.COLLECTED):
        found[state.value] = (Hall(an_order(state=state)), "03031961")
    for reason in ("wrong date", "expired", "used", "locked", "unknown", "old"):
        found[reason] = (Hall(), "04031961" if reason == "wrong date" else "03031961")
    found["namesake"] = (Hall(an_order(1), an_order(2)), "03031961")
    found["child"] = (Hall(an_order(birth_date="20150303")), "03032015")
    return found


def refuse(hall: Hall, reason: str) -> None:
    ticket = hall.ticket
    if reason == "expired":
        hall.clock.advance(25 * 3600)
    elif reason == "used":
        hall.tickets.mark_used(ticket.ticket_id, hall.clock.now())
    elif reason == "locked":
        for _ in range(3):
            hall.tickets.count_failure(ticket.ticket_id, "elsewhere", hall.clock.now())
    elif reason == "unknown":
        hall.tickets.rows.clear()
    elif reason == "old":
        row = hall.orders.rows[hall.order.order_id]
        hall.orders.rows[row.order_id] = dataclasses.replace(
            row, created_at=row.created_at - timedelta(days=9)
        )


async def test_every_refusal_looks_the_same() -> None:
    screens, times_s = set(), set()
    for reason, (hall, digits) in refused_halls().items():
        refuse(hall, reason)
        async with hall.app().run_test() as pilot:
            visitor = Visitor(pilot)
            await visitor.sees(WelcomeScreen)
            before_s = hall.clock.monotonic_s()
            await visitor.identify(hall.ticket, digits)
            await visitor.sees(SorryScreen)
            screens.add(pilot.app.export_screenshot(simplify=True).split("<g class")[-1])
            screens.add(visitor.text())
            times_s.add(hall.clock.monotonic_s() - before_s)
            assert "match those details" in visitor.text()
            assert hall.jobs.submitted == []
    assert len(screens) == 2  # one picture, one text
    assert times_s == {1.5}


async def test_try_again_after_a_wrong_date(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.identify(hall.ticket, "04031961")
        await visitor.sees(SorryScreen)
        await visitor.touch("#again")
        await visitor.sees(TicketScreen)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)


async def test_not_me_goes_to_the_desk_and_alerts(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        await visitor.touch("#no")
        await visitor.sees(SorryScreen)
        assert not pilot.app.screen.query("#again")
        await visitor.until(lambda: hall.audit.rows[-1].event == "claim.disowned")
        await visitor.until(lambda: [it.where for it in hall.calls.newest()] == ["NotMe"])
        assert type(pilot.app.screen) is SorryScreen  # staff come; the visitor reads no more
        await visitor.touch("#stop")
        await visitor.sees(WelcomeScreen)
        await visitor.identify(hall.ticket)
        await visitor.sees(SorryScreen)


async def test_a_day_that_never_was_cannot_be_sent(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.scan(hall.ticket.qr_text)
        for digits in ("31021961", "03032961", "00000000"):
            await visitor.sees(BirthDateScreen)
            for digit in digits:
                await visitor.touch(f"#key-{digit}")
            assert "not in the calendar" in visitor.text()
            await visitor.touch("#go")
            assert isinstance(pilot.app.screen, BirthDateScreen)
            await visitor.touch("#key-clear")
        assert hall.audit.rows == []


@pytest.mark.parametrize("order", ["MDY", "YMD"])
async def test_other_orders_of_a_date(order: str) -> None:
    hall = Hall(an_order(birth_date="19611231"), date_order=order)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.identify(hall.ticket, "12311961" if order == "MDY" else "19611231")
        await visitor.sees(IsThisYouScreen)


@pytest.mark.parametrize("code", ["archive.incomplete", "medium.drive_fault", "build.too_large"])
async def test_a_failed_job_is_said_in_words(hall: Hall, code: str) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.fail(hall.order.order_id, code)
        await visitor.sees(SorryScreen)
        assert "ask at the desk" in visitor.text()
        assert code not in visitor.text()


async def test_staff_question_has_no_done(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.ask(hall.order.order_id, Wanted.STAFF)
        await visitor.sees(QuestionScreen)
        assert not pilot.app.screen.query("#done")
        await visitor.touch("#leave")
        await visitor.sees(WelcomeScreen)
        assert hall.jobs.answers == []


async def test_the_next_question_is_a_new_screen(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.ask(job_id, Wanted.BLANK_DISC)
        await visitor.sees(QuestionScreen)
        second = hall.jobs.ask(job_id, Wanted.OTHER_DISC)
        await visitor.until(lambda: "another disc" in visitor.text())
        await visitor.touch("#done")
        await visitor.until(lambda: hall.jobs.answers == [(job_id, second.number)])


async def test_leave_and_come_back_with_ticket_and_birth_date(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(job_id, Step.WRITE, 1, 10)
        await visitor.touch("#leave")
        await visitor.says_who_he_is(hall)
        await visitor.sees(ProgressScreen)
        await visitor.until(lambda: "▸ Writing" in visitor.text())
        assert len(hall.jobs.submitted) == 1


async def test_come_back_after_a_failure_and_try_again(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.fail(job_id, "build.too_large")
        await visitor.sees(SorryScreen)
        await visitor.touch("#stop")
        await visitor.makes_a_disc(hall)  # the same ticket; all is asked again
        assert len(hall.jobs.submitted) == 2
        hall.jobs.at_step(job_id, Step.WRITE, 1, 10)
        await visitor.until(lambda: "▸ Writing" in visitor.text())


async def test_what_was_handed_out_meanwhile_is_refused_in_the_neutral_words(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(hall)
        await visitor.sees(MediumScreen)
        hall.jobs.is_released = lambda _order_id: False
        await visitor.touch("#medium-disc")
        await visitor.sees(SorryScreen)
        assert "match those details" in visitor.text()
        assert visitor.app._visit.release is None
        assert hall.jobs.submitted == []


async def test_what_was_placed_elsewhere_meanwhile_is_joined(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(hall)
        await visitor.sees(MediumScreen)
        choice = MediaChoice(Medium.STICK)
        hall.jobs.submit(hall.order.order_id, choice, Priority.WARD, actor="staff")
        await visitor.touch("#medium-disc")
        await visitor.sees(ProgressScreen)
        assert "USB stick" in visitor.text()
        assert len(hall.jobs.submitted) == 1


async def test_a_second_kiosk_process_resumes(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        await Visitor(pilot).makes_a_disc(hall)
    async with hall.app().run_test() as pilot:  # killed, started again
        visitor = Visitor(pilot)
        await visitor.says_who_he_is(hall)
        await visitor.sees(ProgressScreen)
    assert len(hall.jobs.submitted) == 1
    assert hall.jobs.get(hall.order.order_id).status is ExecutionStatus.PENDING


async def test_a_journal_that_is_away(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)

        def away(secret_hash: str) -> None:
            raise JournalError("locked")

        hall.tickets.find = away  # type: ignore[method-assign]  # the disk is gone
        await visitor.identify(hall.ticket)
        await visitor.sees(SorryScreen)
        assert "ask at the desk" in visitor.text()
        assert hall.tickets.refusals == []


async def test_progress_survives_a_journal_that_stutters(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(job_id, Step.WRITE, 1, 10)
        await visitor.until(lambda: "▸ Writing" in visitor.text())
        get = hall.jobs.get

        def away(_job_id: object) -> None:
            raise JournalError("locked")

        hall.jobs.get = away  # type: ignore[method-assign, assignment]  # locked for a while
        await visitor.wait_s(hall.clock, 25)
        await visitor.until(lambda: "cannot see how far" in visitor.text())
        hall.jobs.get = get  # type: ignore[method-assign]  # and back
        await visitor.until(lambda: "cannot see how far" not in visitor.text())
        assert isinstance(pilot.app.screen, ProgressScreen)


async def test_no_minutes_are_promised_where_nothing_was_measured(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(hall.order.order_id, Step.WRITE, 0, 100)
        await visitor.until(lambda: "▸ Writing" in visitor.text())
        hall.clock.advance(30)
        hall.jobs.at_step(hall.order.order_id, Step.WRITE, 20, 100)
        await visitor.until(lambda: visitor.text().count("█") > 16)  # it was drawn
        assert "minute" not in visitor.text()


async def test_minutes_left_come_from_what_was_measured_and_then_from_the_pace() -> None:
    measured = Rates(
        StepTime(step, "disc", amount, 60.0)
        for step, amount in ((Step.WRITE, 100), (Step.VERIFY, 100), (Step.HAND_OVER, 1))
    )
    hall = Hall(rates=lambda: measured)
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(job_id, Step.WRITE, 0, 100)
        await visitor.until(lambda: "About 3 minutes left" in visitor.text())
        hall.clock.advance(30)
        hall.jobs.at_step(job_id, Step.WRITE, 20, 100)  # 120 s more of this, 120 s of the rest
        await visitor.until(lambda: "About 4 minutes left" in visitor.text())


async def test_the_demo_shows_whom_to_be_and_lends_a_hand() -> None:
    hall = Hall()
    app = hall.app(demo=True)
    async with app.run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        assert "7K3M-X9QD" in visitor.text()
        assert "Ctrl+Q" in visitor.text()
        await visitor.makes_a_disc(hall)
        hall.jobs.ask(hall.order.order_id, Wanted.BLANK_DISC)
        await visitor.sees(QuestionScreen)
        await visitor.touch("#demo")
        await visitor.until(lambda: hall.hand == [Wanted.BLANK_DISC])
        assert hall.jobs.answers == []
        await visitor.until(lambda: "Now press “Done”." in visitor.text())
        app.change_comfort(dataclasses.replace(app.comfort, language="fr"))
        await visitor.until(lambda: "Appuyez maintenant" in visitor.text())
        await visitor.touch("#done")
        await visitor.until(lambda: hall.jobs.answers)
        await pilot.press("ctrl+q")
        await visitor.until(lambda: not app.is_running)


async def test_no_demo_no_people_no_hand(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        assert "7K3M" not in visitor.text()
        assert "Ctrl" not in visitor.text()
        await visitor.makes_a_disc(hall)
        hall.jobs.ask(hall.order.order_id, Wanted.BLANK_DISC)
        await visitor.sees(QuestionScreen)
        assert not pilot.app.screen.query("#demo")


# --- presence: what the engine is told of whoever stands there


def last_told(hall: Hall) -> str:
    return hall.presence.told[-1][0] if hall.presence.told else ""


async def test_a_visitor_is_there_while_the_page_shows_and_gone_when_it_is_left(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        await visitor.until(lambda: last_told(hall) == "touch")
        await visitor.wait_s(hall.clock, 4)
        await visitor.until(lambda: len(hall.presence.told) >= 2)
        await visitor.touch("#leave")
        await visitor.sees(WelcomeScreen)
        await visitor.until(lambda: last_told(hall) == "leave")
        told = list(hall.presence.told)
        await visitor.wait_s(hall.clock, 10)
        assert hall.presence.told == told


async def test_whoever_touches_nothing_for_long_counts_as_gone_before_the_page_does(
    hall: Hall,
) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        await visitor.until(lambda: last_told(hall) == "touch")
        await visitor.wait_s(hall.clock, 45)  # of 60: the warning shows
        told = list(hall.presence.told)
        await visitor.wait_s(hall.clock, 5)
        assert hall.presence.told == told
        await visitor.wait_s(hall.clock, 15)
        await visitor.sees(WelcomeScreen)
        await visitor.until(lambda: last_told(hall) == "leave")


async def test_the_ticket_opens_the_page_again_and_then_the_tray(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        assert "To collect your images, scan your ticket here again." in visitor.said()
        await visitor.touch("#leave")
        await visitor.sees(WelcomeScreen)
        hall.jobs.at_step(job_id, Step.HAND_OVER, 0, 0, "wanted.claim")
        hall.jobs.ask(job_id, Wanted.CLAIM)
        await visitor.until(lambda: last_told(hall) == "leave")
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        assert last_told(hall) == "leave"  # not before he has said who he is
        await visitor.touch("#yes")
        await visitor.sees(ProgressScreen)
        await visitor.until(lambda: "It is ready" in visitor.text())
        await visitor.until(lambda: last_told(hall) == "touch")
        hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
        hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        hall.jobs.done(job_id)  # the tray was pushed in, and is empty
        await visitor.sees(GoodbyeScreen)


async def test_the_next_one_is_asked_to_take_out_what_is_not_his(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(job_id, Step.WRITE)
        question = hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(QuestionScreen)
        assert "Please take the disc out" in visitor.text()
        assert "hand it in at the desk" in visitor.said()
        await visitor.touch("#done")
        await visitor.until(lambda: hall.jobs.answers == [(job_id, question.number)])


async def test_done_but_not_seen_taken_it_still_says_take_your_disc(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
        hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1, "medium.not_taken")
        progress = hall.jobs.get(job_id).progress
        hall.jobs.done(job_id)
        hall.jobs.rows[job_id] = dataclasses.replace(hall.jobs.get(job_id), progress=progress)
        await visitor.until(lambda: last_told(hall) == "leave")  # the visit has seen its end
        await visitor.sees(ThanksScreen)
        assert "Please take your disc" in visitor.text()
        await visitor.touch("#stop")
        await visitor.sees(GoodbyeScreen)


async def test_the_demo_empties_the_tray_when_staff_are_asked_to(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app(demo=True).run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(job_id, Step.WRITE)
        row = hall.jobs.get(job_id)
        hall.jobs.rows[job_id] = dataclasses.replace(row, error_code="medium.not_taken")
        question = hall.jobs.ask(job_id, Wanted.STAFF)
        await visitor.sees(QuestionScreen)
        assert "Somebody will help you" in visitor.text()
        await visitor.touch("#demo")
        await visitor.until(lambda: hall.jobs.answers == [(job_id, question.number)])
        assert hall.hand == [Wanted.STAFF]


async def test_after_the_first_of_two_copies_the_visit_goes_on() -> None:
    hall = Hall(media=(Medium.DISC,), max_copies=2, protect=Protect.OFF)
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(hall)
        await visitor.sees(CopiesScreen)
        await visitor.touch("#copies-2")
        await visitor.sees(ProgressScreen)
        hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
        hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        await visitor.touch("#stop")
        await visitor.until(lambda: hall.jobs.answers)
        hall.jobs.at_step(job_id, Step.WRITE, 1, 10)
        await visitor.sees(ProgressScreen)


async def test_discs_of_a_set_are_numbered_and_the_visit_lasts_to_the_last() -> None:
    hall = Hall(media=(Medium.DISC,), protect=Protect.OFF)
    job_id = hall.order.order_id

    def turn_of(number: int) -> None:
        job = hall.jobs.get(job_id)
        hall.jobs.rows[job_id] = dataclasses.replace(job, disc=DiscPlace(number, 2))

    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(hall)
        await visitor.sees(ProgressScreen)
        turn_of(2)
        hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
        hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        assert "disc 1 of 2" in visitor.text()
        await visitor.touch("#stop")
        await visitor.until(lambda: hall.jobs.answers)
        hall.jobs.at_step(job_id, Step.WRITE, 1, 10)
        hall.jobs.ask(job_id, Wanted.BLANK_DISC)
        await visitor.sees(QuestionScreen)
        assert "blank disc 2 of 2" in visitor.text()
        await visitor.touch("#done")
        await visitor.sees(ProgressScreen)
        assert "Disc 2 of 2" in visitor.text()
        turn_of(1)
        hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
        hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        assert "disc 2 of 2" in visitor.text()
        await visitor.touch("#stop")
        await visitor.sees(GoodbyeScreen)


# --- a password for the medium


async def chooses_a_password(visitor: Visitor, hall: Hall) -> None:
    """From welcome to the progress screen, with the toggle on."""
    await visitor.sees(WelcomeScreen)
    await visitor.identify(hall.ticket)
    await visitor.sees(IsThisYouScreen)
    await visitor.touch("#yes")
    await visitor.sees(ExamsScreen)
    await visitor.touch("#go")
    await visitor.sees(MediumScreen)
    await visitor.touch("#protect")
    await visitor.until(lambda: "✓ yes" in visitor.text())
    await visitor.touch("#medium-disc")
    await visitor.sees(ProgressScreen)


@pytest.mark.parametrize("size", SIZES)
async def test_the_password_is_there_until_the_disc_is_taken(
    hall: Hall, size: tuple[int, int]
) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test(size=size) as pilot:
        visitor = Visitor(pilot)
        await chooses_a_password(visitor, hall)
        assert hall.jobs.submitted[0][1].is_protected
        await visitor.until(lambda: PASSWORD.text in visitor.text())
        assert visitor.app.screen.query_one(PasswordNote).region.height == 3
        hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
        hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        assert PASSWORD.text in visitor.text()
        hall.jobs.done(job_id)
        await visitor.until(lambda: visitor.app._visit.job_id is None)
        assert PASSWORD.text in visitor.text()  # whoever writes it down has time
        assert "Have you written your password down?" in visitor.said()
        assert not visitor.app.screen.query("#stop")  # not done with before that
        assert hall.passwords.told == []
        await visitor.touch("#written")
        await visitor.until(lambda: visitor.app.screen.query("#stop"))
        assert hall.passwords.told == [("p1", "kiosk:hall")]
        assert "call or see the desk" in visitor.said()
        assert PASSWORD.text not in visitor.text()
        await visitor.touch("#stop")
        await visitor.sees(GoodbyeScreen)
        assert PASSWORD.text not in visitor.text()
        assert visitor.app._visit.password is None
    assert len(hall.passwords.told) == 1


async def test_whoever_could_not_write_it_down_gets_somebody(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await chooses_a_password(visitor, hall)
        hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
        hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        await visitor.touch("#not-written")
        await visitor.until(lambda: "The desk can show you the password" in visitor.said())
        await visitor.until(lambda: [it.where for it in hall.calls.newest()] == ["ThanksScreen"])
        await visitor.touch("#ok")
        await visitor.sees(ThanksScreen)
        assert PASSWORD.text in visitor.text()
        for _ in range(3):
            await pilot.press("enter")  # late, or a scanner's: nobody has answered
        assert getattr(visitor.app.screen.focused, "id", "") != "written"
    assert hall.passwords.told == []


async def test_until_it_is_written_down_it_is_shown_again(hall: Hall) -> None:
    """To whoever proves anew who he is: after he left the page, and after the lobby was killed."""
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await chooses_a_password(visitor, hall)
        await visitor.until(lambda: PASSWORD.text in visitor.text())
        hall.jobs.at_step(hall.order.order_id, Step.RETRIEVE, 1, 2)
        await visitor.until(lambda: "▸ Fetching" in visitor.text())
        await visitor.touch("#leave")
        await visitor.sees(WelcomeScreen)
        assert PASSWORD.text not in visitor.text()
        await visitor.says_who_he_is(hall)
        await visitor.until(lambda: PASSWORD.text in visitor.text())
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await visitor.says_who_he_is(hall)
        await visitor.until(lambda: PASSWORD.text in visitor.text())
        hall.jobs.ask(hall.order.order_id, Wanted.CLAIM)
        await visitor.until(lambda: "Press “I have written it down”" in visitor.said())
        assert hall.passwords.told == []
        await visitor.touch("#written")
        await visitor.until(lambda: PASSWORD.text not in visitor.text())
        assert hall.passwords.told == [("p1", "kiosk:hall")]
        assert not visitor.app.screen.query("#written")


async def test_what_is_not_on_record_stays_shown(hall: Hall) -> None:
    class Broken(FakePasswords):
        is_broken = True

        def tell(self, password_id: str, *, actor: str) -> None:
            if self.is_broken:
                raise JournalError("the journal does not answer")
            super().tell(password_id, actor=actor)

    passwords = Broken()
    hall.parts = dataclasses.replace(hall.parts, passwords=passwords)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await chooses_a_password(visitor, hall)
        await visitor.touch("#written")
        await visitor.until(lambda: "press the button again" in visitor.said())
        assert PASSWORD.text in visitor.text()
        passwords.is_broken = False
        await visitor.touch("#written")
        await visitor.until(lambda: PASSWORD.text not in visitor.text())
        assert len(passwords.told) == 1


async def test_once_written_down_nobody_sees_it_again(hall: Hall) -> None:
    """Not by the ticket, which may have been found, nor after the lobby began anew: the page says
    whom to ask.
    """
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await chooses_a_password(visitor, hall)
        await visitor.touch("#written")
        await visitor.until(lambda: hall.passwords.told)
    async with hall.app().run_test() as pilot:  # the lobby's process began anew
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        await visitor.touch("#yes")
        await visitor.sees(ProgressScreen)
        await visitor.until(lambda: "It is shown only once" in visitor.text())
        assert "call or see the desk" in visitor.text()
        hall.jobs.at_step(hall.order.order_id, Step.HAND_OVER, 1, 1)
        hall.jobs.ask(hall.order.order_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        assert "It is shown only once" in visitor.text()
        assert PASSWORD.text not in visitor.text()
        assert PASSWORD.text not in repr(vars(visitor.app._visit))  # it is not here at all
        await visitor.touch("#stop")
        await visitor.sees(GoodbyeScreen)
        assert visitor.app._visit.password is None
    assert len(hall.passwords.told) == 1


async def test_two_exams_have_two_passwords_until_each_is_written_down(hall: Hall) -> None:
    """The second one's turn comes first for a while: the first one's is not lost by that."""
    first, second = hall.order, an_order(2, patient_id="P00001")
    texts = {
        first.order_id: PASSWORD,
        second.order_id: dataclasses.replace(PASSWORD, text="2" * 19),
    }
    told: set[str] = set()

    class TwoPasswords(FakePasswords):
        def of(self, job_id: OrderId) -> JobPassword | None:
            return dataclasses.replace(texts[job_id], password_id=job_id, is_told=job_id in told)

        def tell(self, password_id: str, *, actor: str) -> None:
            told.add(password_id)

    hall.parts = dataclasses.replace(hall.parts, passwords=TwoPasswords())
    choice = MediaChoice(Medium.DISC, is_protected=True)
    for order in (first, second):
        hall.jobs.submit(order.order_id, choice, Priority.WAITING_PATIENT, actor="kiosk:hall")
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        visitor.app._visit.jobs_left = (second.order_id,)
        visitor.app._watch(first.order_id)
        await visitor.until(lambda: PASSWORD.text in visitor.text())
        visitor.app._watch_first(second.order_id)
        await visitor.until(lambda: "2" * 19 in visitor.text())
        await visitor.touch("#written")
        await visitor.until(lambda: told == {second.order_id})
        visitor.app._watch_first(first.order_id)
        await visitor.until(lambda: PASSWORD.text in visitor.text())
        visitor.app._watch_first(second.order_id)
        await visitor.until(lambda: "shown only once" in visitor.said())


async def test_a_password_that_cannot_be_read_is_not_promised(hall: Hall) -> None:
    class Lost(FakePasswords):
        def of(self, job_id: OrderId) -> JobPassword | None:
            raise PasswordLostError("another key")

    hall.parts = dataclasses.replace(hall.parts, passwords=Lost())
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await chooses_a_password(visitor, hall)
        await visitor.until(lambda: "call or see the desk" in visitor.text())
        assert "in a moment" not in visitor.text()


async def test_a_password_is_said_only_on_request(hall: Hall) -> None:
    spelled = " ".join(PASSWORD.text)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        visitor.app.change_comfort(dataclasses.replace(visitor.app.comfort, is_spoken=True))
        await visitor.sees(IsThisYouScreen)
        await visitor.touch("#yes")
        await visitor.touch("#go")
        await visitor.touch("#protect")
        await visitor.touch("#medium-disc")
        await visitor.until(lambda: PASSWORD.text in visitor.text())
        await visitor.until(lambda: "password stands on the screen" in hall.speech.text())
        assert PASSWORD.text not in hall.speech.text()
        assert spelled not in hall.speech.text()
        await pilot.press("f3")
        await visitor.until(
            lambda: PASSWORD.text in hall.speech.text() or spelled in hall.speech.text()
        )


async def test_a_password_that_was_not_on_the_screen_is_not_told(hall: Hall) -> None:
    """The journal does not give it: the screen says that it will come, and nothing is on record."""
    hall.passwords.password = None
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await chooses_a_password(visitor, hall)
        await visitor.until(lambda: "will stand here" in visitor.text())
        hall.jobs.at_step(hall.order.order_id, Step.WRITE, 1, 2)
        await visitor.until(lambda: "▸ Writing" in visitor.text())
        assert hall.passwords.told == []
        hall.passwords.password = PASSWORD
        await visitor.until(lambda: PASSWORD.text in visitor.text())
        await visitor.touch("#written")
        await visitor.until(lambda: hall.passwords.told == [("p1", "kiosk:hall")])


async def test_the_choice_is_remembered_on_the_way_back() -> None:
    hall = Hall(max_copies=3)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        await visitor.touch("#yes")
        await visitor.sees(ExamsScreen)
        await visitor.touch("#go")
        await visitor.sees(MediumScreen)
        await visitor.touch("#protect")
        await visitor.touch("#medium-disc")
        await visitor.sees(CopiesScreen)
        await visitor.touch("#back")
        await visitor.sees(MediumScreen)
        assert "✓ yes" in visitor.text()
        await visitor.touch("#protect")  # not wanted after all
        await visitor.touch("#medium-disc")
        await visitor.sees(CopiesScreen)
        await visitor.touch("#copies-1")
        await visitor.sees(ProgressScreen)
        assert not hall.jobs.submitted[0][1].is_protected


@pytest.mark.parametrize("protect", [Protect.OFF, Protect.ALWAYS])
async def test_where_nothing_is_asked_the_site_decides(protect: Protect) -> None:
    hall = Hall(media=(Medium.DISC,), protect=protect)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        await visitor.touch("#yes")
        await visitor.sees(ExamsScreen)
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
        assert hall.jobs.submitted[0][1].is_protected is (protect is Protect.ALWAYS)


async def test_the_question_says_why_a_medium_cannot_be_used(hall: Hall) -> None:
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        for unfit in (None, Unfit.NOT_BLANK, Unfit.REWRITABLE):
            question = hall.jobs.ask(job_id, Wanted.OTHER_DISC)
            question = dataclasses.replace(question, unfit=unfit)
            hall.jobs.rows[job_id] = dataclasses.replace(hall.jobs.get(job_id), question=question)
            words = "tray cannot be used" if unfit is None else unfit_words(unfit).split(".")[0]
            await visitor.until(lambda words=words: words in visitor.said())
            await visitor.sees(QuestionScreen)
        await visitor.touch("#done")
        await visitor.until(lambda: hall.jobs.answers == [(job_id, question.number)])
