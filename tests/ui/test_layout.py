"""Every screen at three sizes: fingers find the buttons, eyes find the words."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.widgets import Static

from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import Medium, Step
from kiosk.lobby.estimate import Estimate
from kiosk.lobby.left_out import left_out_words
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.sentence import StillThereScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.widgets.buttons import Key, TouchButton
from tests.fakes.lobby import Hall, Visitor
from tests.ui.screens import FRAME, LEFT_OUT, a_job, every_screen

SIZES = [(80, 24), (64, 20), (120, 36)]
# Box drawing, the bar and shades are shapes, not text (WCAG 1.4.11 asks 3:1 of shapes).
SHAPES = set("─│╭╮╯╰═║╔╗╝╚┏┓┛┗━┃█▏▎▍▌▋▊▉▕░")


def contrast(one: Color, other: Color) -> float:
    """WCAG 2 contrast ratio."""

    def luminance(color: Color) -> float:
        parts = [value / 255 for value in color.rgb]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def worst_contrast(app: object) -> tuple[float, str]:
    """Over every character that the screen paints."""
    worst, where = 21.0, ""
    for line in app.screen._compositor.render_strips():  # type: ignore[attr-defined]  # an App
        for segment in line:
            text = "".join(c for c in segment.text if not c.isspace() and c not in SHAPES)
            if not text or segment.style is None or segment.style.color is None:
                continue
            assert segment.style.bgcolor is not None, segment.text
            colors = (
                Color.from_rich_color(segment.style.color),
                Color.from_rich_color(segment.style.bgcolor),
            )
            assert not segment.style.dim, segment.text
            if (ratio := contrast(*colors)) < worst:
                worst, where = ratio, text
    return worst, where


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_screen(hall: Hall, size: tuple[int, int]) -> None:
    async with hall.app().run_test(size=size) as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        for name, make in every_screen().items():
            screen = make()
            visitor.app._show(screen)
            await visitor.until(lambda screen=screen: pilot.app.screen is screen)
            await pilot.pause()
            room = screen.region
            taken = []
            for button in screen.query(TouchButton):
                region = button.region
                needs = (6, 3) if isinstance(button, Key) else (20, 5)
                assert region.width >= needs[0], (name, button.id, region)
                assert region.height >= needs[1], (name, button.id, region)
                assert room.contains_region(region), (name, button.id, region)
                assert button.is_scrollable is False
                for other in taken:
                    assert not region.overlaps(other), (name, button.id)
                words = max(len(button.label), len(button.note))
                assert words <= button.content_size.width, (name, button.id)
                taken.append(region)
            for text in screen.query(Static):
                if not str(text.render()).strip() or not text.display:
                    continue
                assert room.contains_region(text.region), (name, text.id, text.region)
                assert text.region.width > 0, (name, text.id)
                for region in taken:
                    assert not text.region.overlaps(region), (name, text.id)
                lines = str(text.render()).split("\n")
                if text.id in ("typed", "people", "bar", "steps", "head", "foot"):  # must not wrap
                    assert max(map(len, lines)) <= text.content_size.width, (name, text.id)
            ratio, where = worst_contrast(pilot.app)
            assert ratio >= 4.5, (name, where, ratio)


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


@pytest.mark.parametrize("name", ["ticket", "birth_date", "is_this_you", "medium", "exams"])
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
