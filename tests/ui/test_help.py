"""Help on every screen: language, large text, contrast, the voice, the call for staff, the end."""

from __future__ import annotations

import asyncio

import pytest
from textual.pilot import Pilot

from kiosk.domain.model import Step
from kiosk.lobby.inactivity import VISIT_WARN_S
from kiosk.lobby.scanner import AFTER_SCAN_S
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.panel import HelpPanel, NotePanel
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.widgets import words
from kiosk.widgets.theme import CONTRAST_THEME, KIOSK_THEME
from kiosk.widgets.wording import called_words
from tests.fakes.lobby import Hall, Visitor
from tests.ui.measure import painted
from tests.ui.screens import every_screen


def panel(pilot: Pilot[None]) -> bool:
    return isinstance(pilot.app.screen, HelpPanel) and pilot.app.screen.is_mounted


def note(pilot: Pilot[None]) -> bool:
    return isinstance(pilot.app.screen, NotePanel) and pilot.app.screen.is_mounted


async def test_a_language_of_the_welcome_begins_the_visit_in_it(hall: Hall) -> None:
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        shown = visitor.text()
        for language in words.LANGUAGES:
            assert words.WELCOMES[language] in shown
            assert words.LANGUAGES[language] in shown
        await visitor.touch("#start-de")
        await visitor.sees(TicketScreen)
        assert "Zettel" in visitor.text()
        await visitor.touch("#back")
        await visitor.sees(WelcomeScreen)  # the visit has ended: everything is as before
        assert words.language() == "en"
        assert "Take your images home" in visitor.text()


async def test_the_language_changes_and_what_was_typed_stays(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)
        for digit in "0303":
            visitor.screen.typed(digit)
        await visitor.touch("#aid-help")
        await visitor.until(lambda: panel(pilot))
        await visitor.touch("#language-fr")
        await visitor.sees(BirthDateScreen)
        await visitor.until(lambda: "naissance" in visitor.text())
        for digit in "1961":
            visitor.screen.typed(digit)
        await visitor.until(lambda: "3 mars 1961" in visitor.text())
        await visitor.touch("#go")
        await visitor.sees(IsThisYouScreen)
        await visitor.until(lambda: "Scanner (TDM), 3 mars 2026" in visitor.text())


@pytest.mark.parametrize("name", list(every_screen()))
def test_every_screen_can_be_made_anew(name: str) -> None:
    screen = every_screen()[name]()
    words.use_language("de")
    try:
        again = screen.again(every_screen()["moment"]()._made_of[0][0])
        assert type(again) is type(screen)
        assert again is not screen
        same = again._question == screen._question
        assert not same, screen._question
    finally:
        words.use_language("en")


async def test_everything_chosen_is_forgotten_with_the_visit(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        app = visitor.app
        await visitor.sees(WelcomeScreen)
        await pilot.press("f1")
        await visitor.until(lambda: panel(pilot))
        for button in ("large", "contrast", "spoken", "louder", "typed"):
            before = app.screen
            await visitor.touch(f"#{button}")
            await visitor.until(lambda before=before: app.screen is not before and panel(pilot))
        await visitor.touch("#language-es")
        await visitor.sees(WelcomeScreen)
        assert app.theme == CONTRAST_THEME.name
        assert app.has_class("-large")
        assert (app.comfort.volume, app.comfort.says_typed) == (4, True)
        assert words.language() == "es"
        # Nobody begins: the kiosk does not wait for him for ever.
        await visitor.wait_s(hall.clock, 46)
        await visitor.until(lambda: app.comfort == app._usual)
        await visitor.sees(WelcomeScreen)
        assert app.theme == KIOSK_THEME.name
        assert not app.has_class("-large")
        assert words.language() == "en"
        assert hall.speech.hushed


async def test_the_next_visitor_does_not_inherit(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.touch("#start-zh")
        await visitor.sees(TicketScreen)
        await visitor.says_who_he_is_from_anywhere(hall)
        assert words.language() == "zh"
        await visitor.scan(hall.issue(hall.order).qr_text)  # somebody else, on his screen
        await visitor.until(lambda: words.language() == "en")
        await visitor.sees(BirthDateScreen)


async def test_large_letters_and_contrast(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        assert "Is this you?" in painted(pilot.app)
        await pilot.press("f1")
        await visitor.until(lambda: panel(pilot))
        before = pilot.app.screen
        await visitor.touch("#large")
        await visitor.until(lambda: pilot.app.screen is not before and panel(pilot))
        await pilot.press("escape")
        await visitor.sees(IsThisYouScreen)
        await visitor.until(lambda: "▀██" in painted(pilot.app))
        assert "Is this you?" not in painted(pilot.app)
        await visitor.touch("#yes")


async def test_the_page_or_xterm_is_asked_for_larger_letters() -> None:
    asked: list[bool] = []
    hall = Hall(zoom=lambda _app, is_large: asked.append(is_large))
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await pilot.press("f1")
        await visitor.until(lambda: panel(pilot))
        await visitor.touch("#large")
        await visitor.until(lambda: asked == [True])
        await visitor.wait_s(hall.clock, 46)
        await visitor.until(lambda: asked == [True, False])


async def test_staff_are_called_and_answer(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)
        await visitor.touch("#aid-call")
        await visitor.until(lambda: note(pilot) and "calling somebody" in visitor.text())
        await visitor.until(lambda: hall.calls.rows)
        call = hall.calls.rows[1]
        assert (call.kiosk, call.where) == ("hall", "BirthDateScreen")
        await visitor.touch("#ok")
        await visitor.sees(BirthDateScreen)
        await pilot.press("f2")
        await visitor.until(lambda: note(pilot) and "know already" in visitor.text())
        assert len(hall.calls.rows) == 1
        hall.calls.answer(1, actor="staff:test")
        await visitor.wait_s(hall.clock, 3)
        await visitor.until(lambda: note(pilot) and "on the way" in visitor.text())
        await visitor.touch("#ok")
        await visitor.sees(BirthDateScreen)


async def test_a_call_that_is_not_on_record_is_not_promised(hall: Hall) -> None:
    hall.calls.is_broken = True
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.touch("#aid-call")
        await visitor.until(lambda: note(pilot) and "go to the desk" in visitor.text())
        assert "did not get through" in visitor.text()


async def test_the_longest_visit_ends_however_often_it_is_touched(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        bells: list[int] = []
        monkeypatch.setattr(visitor.app, "bell", lambda: bells.append(1))
        await visitor.sees(WelcomeScreen)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)
        for _ in range(18):  # nine minutes
            await visitor.wait_s(hall.clock, 30)
            await pilot.press("tab")
            await visitor.sees(BirthDateScreen)
        assert VISIT_WARN_S >= 600 - 18 * 30
        await visitor.until(lambda: "ends in one minute" in visitor.text())
        assert bells
        for _ in range(2):
            await visitor.wait_s(hall.clock, 30)
            await pilot.press("tab")
        await visitor.sees(WelcomeScreen)


async def test_the_warning_rings(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        bells: list[int] = []
        monkeypatch.setattr(visitor.app, "bell", lambda: bells.append(1))
        await visitor.sees(WelcomeScreen)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.wait_s(hall.clock, 30)
        await visitor.until(lambda: bells == [1])


async def test_what_is_said(hall: Hall) -> None:
    said = hall.speech
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await pilot.press("f1")
        await visitor.until(lambda: panel(pilot))
        assert said.said == []  # silence until it is wanted
        await visitor.touch("#spoken")
        await visitor.until(lambda: "Help and language" in said.text())
        await pilot.press("escape")
        await visitor.until(lambda: "Take your images home" in said.text())
        assert "You can press: Start" in said.text()
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)
        await visitor.until(lambda: "When were you born?" in said.text())
        for digit in "03031961":
            visitor.screen.typed(digit)
        await visitor.until(lambda: "8 of 8" in said.text())
        assert "1961" not in said.text()  # nobody asked for it
        await asyncio.sleep(AFTER_SCAN_S)  # until then a tab is the end of the scan
        await pilot.press("tab")
        await visitor.until(lambda: said.said[-1].text == "Back")
        await pilot.press("f8", "f8", "f8")
        await visitor.until(lambda: visitor.app.comfort.volume == 5)
        await pilot.press("escape")
        await visitor.sees(BirthDateScreen)
        await pilot.press("f3")
        await visitor.until(lambda: "3 March 1961" in said.text())  # now somebody did
        assert said.said[-1].volume == 5
        await visitor.touch("#go")
        await visitor.sees(IsThisYouScreen)
        await visitor.until(lambda: "Maria G." in said.text())
        await visitor.touch("#no")
        await visitor.until(lambda: "could not match" in said.text())


async def test_progress_is_said_at_steps_not_at_every_look(hall: Hall) -> None:
    said, job_id = hall.speech, hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await pilot.press("f1")
        await visitor.until(lambda: panel(pilot))
        await visitor.touch("#spoken")
        await visitor.until(lambda: said.said)
        await pilot.press("escape")
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(job_id, Step.RETRIEVE, 1, 100)
        await visitor.until(lambda: "Fetching your images" in said.text())
        count = len(said.said)
        for done in range(2, 8):
            hall.jobs.at_step(job_id, Step.RETRIEVE, done, 100)
            await visitor.wait_s(hall.clock, 0.5)
        assert len(said.said) <= count + 1
        hall.jobs.at_step(job_id, Step.WRITE, 1, 100)
        await visitor.until(lambda: "Writing" in said.text())


async def test_a_machine_that_cannot_speak_says_so() -> None:
    async with Hall(speech=None).app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await pilot.press("f1")
        await visitor.until(lambda: panel(pilot))
        assert "not at this machine" in visitor.text()
        assert pilot.app.screen.query_one("#spoken").disabled


async def test_a_panel_that_is_closed_before_it_is_there(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        for panel in (
            HelpPanel(visitor.app._offer, visitor.app.comfort),
            NotePanel(called_words()),
        ):
            visitor.app._open(panel)
            visitor.app.close_panel()
            await visitor.sees(WelcomeScreen)
            await visitor.until(lambda panel=panel: not panel.is_running)
