"""Every screen at three sizes: fingers find the buttons, eyes find the words."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.screen import Screen
from textual.widgets import Static

from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import Medium, Step
from kiosk.lobby.comfort import Comfort
from kiosk.lobby.estimate import Estimate
from kiosk.lobby.left_out import left_out_words
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.sentence import StillThereScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.widgets.buttons import TouchButton
from tests.fakes.lobby import Hall, Visitor
from tests.ui.measure import contrast, findings
from tests.ui.screens import FRAME, LEFT_OUT, a_job, every_screen
from tests.ui.walk import Size, walk

SIZES = [(80, 24), (64, 20), (120, 36)]

LOOKS = {
    "large": Comfort("en", is_large=True),
    "contrast": Comfort("en", has_contrast=True),
}


# The way of a visit, and one of each kind beside it.
USUAL = (
    "welcome", "ticket", "birth_date", "phone_digits", "postcode", "refused", "is_this_you",
    "exams", "exams_several", "cost", "whom", "doctors", "read_back", "form", "sign_by_name",
    "sign_by_hand", "cost_nothing", "medium_optional", "writing", "writing_protected", "left_out",
    "ask_blank_disc", "ask_take_medium", "failed_medium_failed", "take_disc", "receipt_printable",
    "goodbye", "help", "help_spoken", "note_called", "note_not_called",
)  # fmt: skip


@pytest.mark.parametrize("look", ["large", "contrast"])
async def test_every_screen_for_weak_eyes(hall: Hall, look: str) -> None:
    least = 7.0 if look == "contrast" else 4.5
    found: list[str] = []

    def measure(name: str, size: Size, screen: Screen[None]) -> None:
        wrong = findings(screen.app, screen, least_contrast=least)
        found.extend(f"{name} at {size[0]}x{size[1]}: {it}" for it in wrong)

    await walk(hall, LOOKS[look], [(80, 24), (64, 20)], measure, only=USUAL)
    assert found == []


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_nothing_moves_under_a_finger_while_it_is_made(
    hall: Hall, size: tuple[int, int]
) -> None:
    async with hall.app().run_test(size=size) as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        screen = ProgressScreen(FRAME, a_job(hall.order, step=None), None)
        visitor.app._show(screen)
        await visitor.until(lambda: pilot.app.screen is screen)
        await visitor.until(lambda: screen.query_one("#leave").region)
        before = screen.query_one("#leave").region
        for step in Step:
            for left_out in (LeftOutCounts(), LeftOutCounts(videos=1), LEFT_OUT):
                for note in ("", "medium.retry"):
                    job = a_job(hall.order, step=step, note=note, left_out=left_out)
                    screen.show(job, Estimate(0.5, 600.0), is_late=bool(note))
                    await pilot.pause()
                    assert screen.query_one("#leave").region == before, (step, left_out)
        strips = pilot.app.screen._compositor.render_strips()
        seen = " ".join(" ".join(strip.text for strip in strips).split())
        assert left_out_words(LEFT_OUT, Medium.DISC) in seen  # all of it


async def test_the_warning(hall: Hall) -> None:
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await visitor.scan(hall.ticket.qr_text)
        await visitor.wait_s(hall.clock, 30)
        await visitor.until(lambda: isinstance(pilot.app.screen, StillThereScreen))
        await visitor.until(lambda: "seconds" in visitor.text())
        box = pilot.app.screen.query_one("#box")
        assert pilot.app.screen.region.contains_region(box.region)
        for text in box.query(Static):
            assert contrast(text.colors[3], text.colors[2]) >= 4.5


def test_the_measure_of_contrast() -> None:
    assert contrast(Color.parse("#000000"), Color.parse("#ffffff")) == pytest.approx(21)
    assert contrast(Color.parse("#777777"), Color.parse("#ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    "name",
    [
        *("ticket", "birth_date", "phone_digits", "postcode", "is_this_you", "medium"),
        *("exams_several", "form"),
    ],
)
async def test_every_button_can_be_reached_by_tab(hall: Hall, name: str) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        screen = every_screen()[name]()
        visitor.app._show(screen)
        await visitor.until(lambda: pilot.app.screen is screen)
        buttons = {it.id for it in screen.query(TouchButton) if not it.disabled}
        seen = set()
        for _ in range(len(buttons)):
            await pilot.press("tab")
            assert pilot.app.focused is not None
            seen.add(pilot.app.focused.id)
        assert seen == buttons
