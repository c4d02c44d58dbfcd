"""The screens from right to left: what belongs together stays together."""

from __future__ import annotations

from datetime import date

import pytest
from textual.widgets import Static

from kiosk.lobby.comfort import Comfort
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.panel import HelpPanel, Offer
from kiosk.lobby.screens.progress import bar
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.widgets import words
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.keyboard import COLUMNS, Keyboard
from kiosk.widgets.script import visual
from tests.fakes.lobby import Hall, Visitor
from tests.ui.measure import painted
from tests.ui.screens import every_screen


def _right_to_left(text: str) -> str:
    return visual(text, is_right_to_left=True)


async def test_each_part_of_the_birth_date_stands_below_its_name(hall: Hall) -> None:
    async with hall.app().run_test(size=(80, 24)) as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        visitor.app._take(Comfort("ar"))
        screen = every_screen()["birth_date"]()
        assert isinstance(screen, BirthDateScreen)
        visitor.app._show(screen)
        await visitor.until(lambda: pilot.app.screen is screen)
        for digit in "03121961":
            screen.typed(digit)
        await visitor.until(lambda: "1 9 6 1" in painted(pilot.app))
        lines = painted(pilot.app).split("\n")
        names = next(line for line in lines if _right_to_left("السنة") in line)
        typed = next(line for line in lines if "1 9 6 1" in line)
        for label, digits in (("اليوم", "0 3"), ("الشهر", "1 2"), ("السنة", "1 9 6 1")):
            name = _right_to_left(label)
            above = names.index(name) + len(name) / 2
            below = typed.index(digits) + len(digits) / 2
            assert abs(above - below) <= 1, (label, names, typed)


def test_the_bar_fills_from_the_right() -> None:
    words.use_language("ar")
    assert bar(0.25, 8) == " 25 % ▕░░░░░░██▏"
    assert bar(0.3125, 8) == " 31 % ▕░░░░░▐██▏"
    assert bar(1.0, 8) == "100 % ▕████████▏"
    words.use_language("en")
    assert bar(0.3125, 8) == "▕██▌░░░░░▏  31 %"


@pytest.mark.parametrize(("page", "first"), [(0, "ابتث"), (1, "1234"), (2, "ABCD")])
async def test_keys_stand_in_the_order_in_which_they_are_read(
    hall: Hall, page: int, first: str
) -> None:
    async with hall.app().run_test(size=(80, 24)) as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        visitor.app._take(Comfort("ar"))
        screen = every_screen()["recipient_name"]()
        visitor.app._show(screen)
        await visitor.until(lambda: pilot.app.screen is screen)
        keyboard = screen.query_one(Keyboard)
        keyboard.turn_to(page)
        await visitor.until(lambda: keyboard._letters[0].region)
        row = sorted(keyboard._letters[:COLUMNS], key=lambda key: key.region.x)
        labels = [key.label for key in (reversed(row) if page == 0 else row)]
        assert "".join(labels[:4]) == first


async def test_the_help_page_begins_at_the_right(hall: Hall) -> None:
    async with hall.app().run_test(size=(80, 24)) as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        visitor.app._take(Comfort("ar"))
        panel = HelpPanel(Offer(("en", "ar"), True), Comfort("ar"))
        visitor.app._open(panel)
        await visitor.until(lambda: pilot.app.screen is panel and panel.query("#close"))
        await visitor.until(lambda: panel.query_one("#language-en").region)
        assert panel.query_one("#language-en").region.x > panel.query_one("#language-ar").region.x
        assert panel.query_one("#title", Static).styles.text_align == "center"


def test_what_is_heard_has_the_commas_of_its_script() -> None:
    from tests.ui.screens import FRAME

    words.use_language("ar")
    try:
        heard = TouchButton("نعم", note="هذا أنا").heard()
        entry = BirthDateScreen(FRAME, "DMY", date(2026, 3, 10)).entry
    finally:
        words.use_language("en")
    assert "،" in heard
    assert "،" in entry
    assert "," not in heard + entry
