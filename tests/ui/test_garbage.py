"""What a visit held in cycles is freed after it, not when the collector happens to run."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from tests.fakes.lobby import Hall, Visitor


@pytest.fixture
def _never_by_chance() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_never_by_chance")
async def test_a_screen_of_a_visit_is_gone_after_it(hall: Hall) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        shown = weakref.ref(visitor.app.screen)
        visit = weakref.ref(visitor.app._visit)
        visitor.app.end_visit()
        await visitor.sees(WelcomeScreen)
        await visitor.until(lambda: shown() is None and visit() is None)
