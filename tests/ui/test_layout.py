"""Every screen at three sizes: fingers find the buttons, eyes find the words."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from textual.color import Color
from textual.widgets import Static

from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import Medium, Step
from kiosk.lobby.comfort import Comfort
from kiosk.lobby.estimate import Estimate
from kiosk.lobby.left_out import left_out_words
from kiosk.lobby.screens.panel import HelpPanel, NotePanel, Offer
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.sentence import StillThereScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.wording import called_words, not_called_words
from kiosk.widgets.words import LANGUAGES
from tests.fakes.lobby import Hall, Visitor
from tests.ui.measure import contrast, findings, painted
from tests.ui.screens import FRAME, LEFT_OUT, a_job, every_screen

SIZES = [(80, 24), (64, 20), (120, 36)]
# Arabic letters as they are stored: on the screen they have the shapes of their places in a word.
# Hamza has one shape only; the help sign shows the bare letter Ain to everybody.
UNSHAPED = re.compile("[\u0622-\u0638\u063a\u0641-\u064a]")


LOOKS = {
    "large": Comfort("en", is_large=True),
    "contrast": Comfort("en", has_contrast=True),
}


async def walk(
    hall: Hall, size: tuple[int, int], comfort: Comfort, least: float, *, all_of_them: bool
) -> dict[str, str]:
    """Show every screen and the help page; nothing may be cut, small, hidden or pale.

    Returns:
        What was painted, by name.
    """
    pictures: dict[str, str] = {}
    async with hall.app().run_test(size=size) as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        visitor.app._take(comfort)
        found = []
        for name, make in every_screen().items():
            if not all_of_them and name not in PICTURED:
                continue
            screen = make()
            visitor.app._show(screen)
            await visitor.until(lambda screen=screen: pilot.app.screen is screen)
            await pilot.pause()
            wrong = findings(pilot.app, screen, least_contrast=least)
            found += [f"{name}: {it}" for it in wrong]
            pictures[name] = painted(pilot.app)
            loose = UNSHAPED.search(painted(pilot.app))
            found += [f"{name}: letters are not joined: {loose.group()}"] if loose else []
        for panel in (
            HelpPanel(Offer(tuple(LANGUAGES), True), replace(comfort, is_spoken=True)),
            HelpPanel(Offer(tuple(LANGUAGES), False), comfort),
            NotePanel(called_words()),
            NotePanel(not_called_words()),
        ):
            visitor.app._open(panel)
            await visitor.until(lambda panel=panel: pilot.app.screen is panel and panel.is_mounted)
            await pilot.pause()
            found += [
                f"{type(panel).__name__}: {it}"
                for it in findings(pilot.app, panel, least_contrast=least)
            ]
            pictures.setdefault(type(panel).__name__, painted(pilot.app))
        assert found == []
    return pictures


# The way of a visit, and one of each kind beside it: as text, a file a language and size.
PICTURED = (
    "welcome",
    "ticket",
    "birth_date",
    "phone_digits",
    "postcode",
    "refused",
    "is_this_you",
    "exams",
    "exams_several",
    "cost",
    "whom",
    "doctors",
    "read_back",
    "form",
    "sign_by_name",
    "sign_by_hand",
    "cost_nothing",
    "medium_optional",
    "writing",
    "writing_protected",
    "left_out",
    "ask_blank_disc",
    "ask_take_medium",
    "failed_medium_failed",
    "take_disc",
    "goodbye",
    "HelpPanel",
    "NotePanel",
)


def compare(language: str, size: tuple[int, int], pictures: dict[str, str]) -> None:
    """With the file that was looked at and accepted; SENDHOME_ACCEPT=1 writes it anew."""
    path = Path(__file__).parent / "__snapshots__" / f"{language}-{size[0]}x{size[1]}.txt"
    lines = []
    for name in PICTURED:
        lines += [f"=== {name}", *(line.rstrip() for line in pictures[name].split("\n"))]
    text = "\n".join(lines) + "\n"
    if os.environ.get("SENDHOME_ACCEPT"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_every_screen_in_every_language(
    hall: Hall, language: str, size: tuple[int, int]
) -> None:
    if size == (120, 36) and language != "en":
        pytest.skip("the small sizes are the hard ones")
    is_hard = size == (64, 20) or language == "en"
    pictures = await walk(hall, size, Comfort(language), 4.5, all_of_them=is_hard)
    if size != (120, 36):
        compare(language, size, pictures)


@pytest.mark.parametrize("size", [(80, 24), (64, 20)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("look", ["large", "contrast"])
async def test_every_screen_for_weak_eyes(hall: Hall, look: str, size: tuple[int, int]) -> None:
    await walk(hall, size, LOOKS[look], 7.0 if look == "contrast" else 4.5, all_of_them=False)


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
