"""Pictures of every screen at two sizes; looked at before they are accepted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.second_fact import PhoneDigitsScreen, PostcodeScreen
from kiosk.lobby.screens.ticket import TicketScreen
from tests.fakes.lobby import Hall
from tests.ui.screens import every_screen

TYPED: dict[type[LobbyScreen], str] = {
    TicketScreen: "7K3MX",
    BirthDateScreen: "03031961",
    PhoneDigitsScreen: "0142",
    PostcodeScreen: "SW1A1A",
}


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
@pytest.mark.parametrize("name", list(every_screen()))
def test_screen(
    hall: Hall, name: str, size: tuple[int, int], snap_compare: Callable[..., bool]
) -> None:
    app = hall.app()

    async def show(pilot: Pilot[None]) -> None:
        screen = every_screen()[name]()
        app._show(screen)
        for _ in range(100):
            await pilot.pause(0.02)
            if app.screen is screen and screen.is_mounted:
                break
        typed = TYPED.get(type(screen), "")
        for character in typed:
            screen.typed(character)
        await pilot.pause()

    assert snap_compare(app, run_before=show, terminal_size=size)


def test_warning(hall: Hall, snap_compare: Callable[..., bool]) -> None:
    app = hall.app()

    async def show(pilot: Pilot[None]) -> None:
        app._show(every_screen()["is_this_you"]())
        await pilot.pause()
        hall.clock.advance(30)
        for _ in range(100):
            await pilot.pause(0.05)
            if app._warning is not None and app._warning.is_mounted:
                break
        await pilot.pause(0.6)

    assert snap_compare(app, run_before=show, terminal_size=(80, 24))
