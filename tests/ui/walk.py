"""A walk past every screen of the lobby and the pages in front of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from textual._compositor import Compositor
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from kiosk.lobby.comfort import Comfort
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.panel import HelpPanel, NotePanel, Offer, Panel
from kiosk.lobby.screens.receipt import CodePanel
from kiosk.lobby.screens.second_fact import PhoneDigitsScreen, PostcodeScreen
from kiosk.lobby.screens.sentence import StillThereScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.widgets.qr import code_lines
from kiosk.widgets.wording import called_words, not_called_words
from kiosk.widgets.words import LANGUAGES
from tests.fakes.lobby import Hall, Visitor
from tests.papers import a_receipt
from tests.ui.screens import every_screen

Size = tuple[int, int]
# What stands there when it is looked at.
TYPED: Final[dict[type[LobbyScreen], str]] = {
    TicketScreen: "7K3MX",
    BirthDateScreen: "03031961",
    PhoneDigitsScreen: "0142",
    PostcodeScreen: "SW1A1A",
}
WARNING: Final = "still_there"
_WARNS_AFTER_S: Final = 30


def panels(comfort: Comfort) -> dict[str, Callable[[], Panel]]:
    """What opens in front of a screen."""
    return {
        "help": lambda: HelpPanel(Offer(tuple(LANGUAGES), False), comfort),
        "help_spoken": lambda: HelpPanel(
            Offer(tuple(LANGUAGES), True), replace(comfort, is_spoken=True)
        ),
        "receipt_code": lambda: CodePanel(code_lines(a_receipt().code_text.upper())),
        "note_called": lambda: NotePanel(called_words()),
        "note_not_called": lambda: NotePanel(not_called_words()),
    }


def names() -> list[str]:
    """Of everything that a walk shows, in its order."""
    return [*every_screen(), *panels(Comfort("en")), WARNING]


async def _settled(pilot: Pilot[None], screen: Screen[None], size: Size) -> None:
    """Until nothing moves any more: on a busy machine Pilot goes on before."""
    before: object = None
    for _ in range(200):
        now = [(it.region, it.classes, str(getattr(it, "content", ""))) for it in _all(screen)]
        is_waiting = screen._layout_required or screen._dirty_widgets or screen._callbacks
        is_sized = screen.size == screen._compositor.size == size
        if is_sized and now == before and not is_waiting:
            return
        if now == before and not is_sized:  # it came while the screen was changed, and was lost
            await pilot.resize_terminal(*size)
        before = now
        await pilot.pause()
    raise AssertionError(f"{type(screen).__name__} is never done at {size}")


def _all(screen: Screen[None]) -> list[Widget]:
    return [screen, *screen.query()]


@contextmanager
def _without_a_terminal() -> Iterator[None]:
    """What would be sent to a terminal is not even made: a quarter of the time, and nobody's."""
    usual = Compositor.render_update

    def forget(self: Compositor, **_how: object) -> None:
        self._dirty_regions.clear()

    Compositor.render_update = forget  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        Compositor.render_update = usual  # type: ignore[method-assign]


async def walk(
    hall: Hall,
    comfort: Comfort,
    sizes: Sequence[Size],
    look: Callable[[str, Size, Screen[None]], None],
    only: Sequence[str] | None = None,
) -> None:
    """Show everything at each size and call `look` with its name, the size and the screen.

    The sizes follow one another on one screen, forth and back: what comes of a screen that is
    made at a size and of one that is resized to it must be the same.

    Args:
        only: Names; None for all.
    """
    async with hall.app().run_test(size=sizes[0]) as pilot:
        visitor = Visitor(pilot)
        app = visitor.app
        await visitor.sees(WelcomeScreen)
        app._take(comfort)
        order = list(sizes)

        async def at_each_size(name: str, screen: Screen[None]) -> None:
            await visitor.until(lambda: app.screen is screen and screen.is_mounted)
            for size in order:
                if screen._compositor.size != size:
                    await pilot.resize_terminal(*size)
                await _settled(pilot, screen, size)
                look(name, size, screen)
            order.reverse()

        with _without_a_terminal():
            for name, make in every_screen(frame=app._frame).items():
                if only is None or name in only:
                    screen = make()
                    app._show(screen)
                    await visitor.until(lambda screen=screen: app.screen is screen)
                    for character in TYPED.get(type(screen), ""):
                        screen.typed(character)
                    await at_each_size(name, screen)
            for name, open_it in panels(comfort).items():
                if only is None or name in only:
                    panel = open_it()
                    app._open(panel)
                    await at_each_size(name, panel)
        if only is None or WARNING in only:
            app._show(every_screen(frame=app._frame)["is_this_you"]())
            await pilot.pause()
            hall.clock.advance(_WARNS_AFTER_S)
            await visitor.until(lambda: isinstance(app.screen, StillThereScreen))
            warning = app.screen
            assert isinstance(warning, StillThereScreen)
            await visitor.until(lambda: str(warning._countdown.content))
            await at_each_size(WARNING, warning)
