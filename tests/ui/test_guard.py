"""Scans, idle visitors, keys that must do nothing."""

from __future__ import annotations

import pytest
from textual import events
from textual.pilot import Pilot

from kiosk.domain.model import Step
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.messages import BirthDateTyped
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.sentence import MomentScreen, StillThereScreen, ThanksScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.widgets.wording import too_small_words
from tests.fakes.hostile import HOSTILE
from tests.fakes.lobby import Hall, Visitor
from tests.fakes.orders import an_order
from tests.ui.screens import every_kind, every_screen

NOT_OURS = [
    "4006381333931",
    "https://example.org/a?b=c",
    "@\x1e\rANSI 636000",
    "P1001*",
    "x" * 10_000,
]


async def test_a_ticket_counts_on_every_screen(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        for make in every_kind().values():
            screen = make()
            visitor.app._show(screen)
            await visitor.until(lambda screen=screen: pilot.app.screen is screen)
            await visitor.scan(hall.ticket.qr_text)
            await visitor.until(lambda screen=screen: pilot.app.screen is not screen)
            await visitor.sees(BirthDateScreen)
            assert pilot.app.screen._digits == ""


async def test_no_scan_ever_becomes_typing(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        for name, make in every_kind().items():
            screen = make()
            typed: list[str] = []
            screen.typed = typed.append  # type: ignore[method-assign]  # listens
            visitor.app._show(screen)
            await visitor.until(lambda screen=screen: pilot.app.screen is screen)
            for scan in NOT_OURS if name in ("ticket", "birth_date") else NOT_OURS[:1]:
                await visitor.scan(scan)
                await visitor.until(lambda: not visitor.app._scanner.is_holding)
                assert pilot.app.screen is screen, name
                assert typed == [], name
                assert "not one of our tickets" in visitor.text(), name
    assert hall.tickets.refusals == []  # nothing was looked up either


@pytest.mark.parametrize("text", ["0123456789", "0123456789" * 1000], ids=["short", "endless"])
async def test_a_scan_without_an_end_is_dropped(hall: Hall, text: str) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)
        await visitor.scan(text, end="")
        await visitor.until(lambda: not visitor.app._scanner.is_holding)
        assert pilot.app.screen._digits == ""
        assert "press Enter after a scan" in visitor.text()
        await visitor.types("03031961")  # and people are understood as before
        assert "3 March 1961" in visitor.text()


async def test_paste_is_nothing(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)
        pilot.app.post_message(events.Paste("03031961"))
        await pilot.pause()
        assert pilot.app.screen._digits == ""


async def test_somebody_elses_ticket_ends_the_visit(hall: Hall) -> None:
    other = an_order(2, name="SMITH^JOHN")
    hall.orders.add(other, actor="test")
    ticket = hall.issue(other)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        await visitor.identify(ticket)
        await visitor.sees(IsThisYouScreen)
        assert "John S." in visitor.text()
        assert visitor.app._visit.release.order == other


async def test_idle_warns_then_forgets_everything(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        await visitor.wait_s(hall.clock, 24)
        assert isinstance(pilot.app.screen, IsThisYouScreen)
        await visitor.wait_s(hall.clock, 2)
        await visitor.until(lambda: isinstance(pilot.app.screen, StillThereScreen))
        await visitor.until(lambda: "19 seconds" in visitor.text())
        await visitor.touch("#here")
        await visitor.sees(IsThisYouScreen)  # goes on where it was
        await visitor.wait_s(hall.clock, 26)
        await visitor.until(lambda: isinstance(pilot.app.screen, StillThereScreen))
        await visitor.wait_s(hall.clock, 20)
        await visitor.sees(WelcomeScreen)
        assert visitor.app._visit.release is None
        assert visitor.app._visit.claim is None
        assert len(pilot.app.screen_stack) == 2  # Textual's empty one, and welcome
        assert "Maria" not in pilot.app.export_screenshot()


@pytest.mark.parametrize("how", ["key", "mouse", "scan"])
async def test_any_touch_answers_the_warning(hall: Hall, how: str) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)
        await visitor.types("03")
        await visitor.wait_s(hall.clock, 30)
        await visitor.until(lambda: isinstance(pilot.app.screen, StillThereScreen))
        if how == "key":
            await pilot.press("f5")
        elif how == "mouse":
            await pilot.click(offset=(1, 1))
        else:
            await visitor.scan("4006381333931")
        await visitor.sees(BirthDateScreen)
        assert pilot.app.screen._digits == "03"


async def test_typed_digits_are_forgotten(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)
        await visitor.types("0303")
        await visitor.wait_s(hall.clock, 60)
        await visitor.sees(WelcomeScreen)
        await visitor.touch("#start")
        await visitor.sees(TicketScreen)
        assert pilot.app.screen._typed == ""
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)
        assert pilot.app.screen._digits == ""


async def test_a_job_goes_on_when_the_visitor_is_gone(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(hall.order.order_id, Step.WRITE, 1, 2)
        await visitor.wait_s(hall.clock, 39)
        assert isinstance(pilot.app.screen, ProgressScreen)
        await visitor.wait_s(hall.clock, 22)
        await visitor.sees(WelcomeScreen)
        assert hall.order.order_id in hall.jobs.rows
        hall.jobs.done(hall.order.order_id)  # nobody is there to see it
        await visitor.wait_s(hall.clock, 5)
        assert isinstance(pilot.app.screen, WelcomeScreen)


async def test_thanks_leaves_by_itself_without_a_warning(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.done(hall.order.order_id)
        await visitor.sees(ThanksScreen)
        await visitor.wait_s(hall.clock, 50)
        assert isinstance(pilot.app.screen, ThanksScreen)
        await visitor.wait_s(hall.clock, 11)
        await visitor.sees(WelcomeScreen)


async def test_welcome_waits_for_ever(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        screen = pilot.app.screen
        await visitor.wait_s(hall.clock, 10**6)
        assert pilot.app.screen is screen


async def test_an_answer_that_comes_after_the_visit_is_dropped(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        app = visitor.app
        claim = hall.parts.identify.claim(hall.ticket.code)
        assert claim is not None
        app._begin(claim)
        gone = app._visit
        app.end_visit()
        release = hall.parts.identify.confirm(claim, hall.clock.now().date().replace(1961, 3, 3))
        from kiosk.lobby.answers import Decided, JobSeen, Placed

        for late in (
            Decided(gone, release),
            Placed(gone, hall.order.order_id),
            JobSeen(gone, None),
            BirthDateTyped(hall.clock.now().date()),
        ):
            app.post_message(late)
            await pilot.pause()
            assert isinstance(app.screen, WelcomeScreen)
            assert app._visit.release is None


async def test_while_it_looks_up_nothing_else_counts(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        app = visitor.app
        app._visit.is_asking = True
        app._show(MomentScreen(app._frame))
        await visitor.sees(MomentScreen)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.wait_s(hall.clock, 80)  # longer than idling, shorter than a hanging look-up
        assert isinstance(app.screen, MomentScreen)


async def test_a_double_tap_presses_once(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        monkeypatch.setattr(type(pilot.app), "is_headless", property(lambda _app: False))
        await pilot.click("#yes", times=2)
        await pilot.pause()
        assert type(pilot.app.screen).__name__ == "ExamsScreen"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("size", [(20, 5), (1, 1), (200, 60)])
async def test_odd_sizes_break_nothing(hall: Hall, size: tuple[int, int]) -> None:
    async with hall.app(demo=True).run_test(size=size) as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        for make in every_screen().values():
            screen = make()
            visitor.app._show(screen)
            await visitor.until(lambda screen=screen: pilot.app.screen is screen)
        await pilot.resize_terminal(80, 24)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)


async def shown(pilot: Pilot[None]) -> str:
    """The characters on the terminal."""
    await pilot.pause()
    strips = pilot.app.screen._compositor.render_strips()
    return " ".join(" ".join(strip.text for strip in strips).split())


@pytest.mark.parametrize("size", [(63, 24), (80, 19), (20, 5), (1, 1)])
async def test_without_room_it_says_so_and_goes_on_later(hall: Hall, size: tuple[int, int]) -> None:
    async with hall.app().run_test(size=(80, 24)) as pilot:
        visitor = Visitor(pilot)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.sees(BirthDateScreen)
        await visitor.types("0303")
        before = await shown(pilot)
        await pilot.resize_terminal(*size)
        await visitor.until(lambda: not pilot.app.screen.query_one("#body").region)
        said = await shown(pilot)
        assert said in too_small_words()  # all of it, or as much as there is room for
        assert len(said) > 60 or size == (1, 1)
        await visitor.types("19")  # nobody sees what he types
        for selector in ("#key-1", "#go", "#back"):
            if found := pilot.app.screen.query(selector):
                assert not found.first().region
        await pilot.press("tab", "enter", "space")
        await visitor.sees(BirthDateScreen)
        await pilot.resize_terminal(80, 24)
        await visitor.until(lambda: pilot.app.screen.query_one("#body").region)
        assert await shown(pilot) == before
        await visitor.types("1961")
        await visitor.touch("#go")
        await visitor.sees(IsThisYouScreen)


@pytest.mark.parametrize("key", ["enter", "space", "tab", "5"])
async def test_a_key_on_the_warning_presses_nothing_behind_it(hall: Hall, key: str) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        for _ in range(9):  # whatever has the focus behind the warning: nothing of it may happen
            await pilot.press("tab")
            before = pilot.app.focused
            await visitor.wait_s(hall.clock, 30)
            await visitor.until(lambda: isinstance(pilot.app.screen, StillThereScreen))
            await pilot.press(key)
            await visitor.sees(IsThisYouScreen)
            await visitor.until(lambda: not visitor.app._scanner.is_holding)
            await pilot.pause()
            await visitor.sees(IsThisYouScreen)
            assert pilot.app.focused is before
        assert visitor.app._visit.release is not None


async def test_without_room_a_visit_ends_as_ever(hall: Hall) -> None:
    async with hall.app().run_test(size=(80, 24)) as pilot:
        visitor = Visitor(pilot)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        await pilot.resize_terminal(40, 10)
        await visitor.wait_s(hall.clock, 30)
        await visitor.until(lambda: isinstance(pilot.app.screen, StillThereScreen))
        assert "too small" in await shown(pilot)
        await visitor.wait_s(hall.clock, 20)
        await visitor.sees(WelcomeScreen)
        await pilot.resize_terminal(64, 20)
        await visitor.until(lambda: pilot.app.screen.query_one("#body").region)
        assert "Maria" not in await shown(pilot)


SHOW_FOREIGN_TEXT = ("welcome_demo", "is_this_you", "exams", "note")


async def test_hostile_names_on_every_screen(hall: Hall) -> None:
    """What could be read as markup; all of them, and the bytes sent: test_terminal."""
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        for at, text in enumerate(HOSTILE[:10]):
            for name, make in every_screen(hostile=text).items():
                if name not in SHOW_FOREIGN_TEXT and at:
                    continue
                screen = make()
                visitor.app._show(screen)
                await visitor.until(lambda screen=screen: pilot.app.screen is screen)
                for line in pilot.app.screen._compositor.render_strips():
                    for segment in line:
                        assert not segment.style or not segment.style.link
                        assert "@click" not in str(segment.style and segment.style.meta)
                    assert line.text.isprintable(), (name, text[:20])
        assert visitor.app.is_running
