"""The monkey's short form; the long one is `python -m tests.ui.monkey --events 10000`."""

from __future__ import annotations

import pytest

from kiosk.lobby.visit import Visit
from tests.fakes.lobby import Visitor
from tests.ui.monkey import Monkey

EVENTS = 300  # the long form is a command of its own
SEED = 7  # others by hand: an error names its seed


async def test_random_events_break_nothing_and_leave_nothing() -> None:
    monkey = Monkey(seed=SEED, events_wanted=EVENTS)
    await monkey.run()
    assert monkey.visits >= EVENTS // 250
    assert monkey.counts["scan"]
    # What else is seen depends on how fast the machine answers between two events.
    assert {"WelcomeScreen", "BirthDateScreen"} <= set(monkey.seen)


@pytest.mark.parametrize("place", ["attribute", "widget", "log", "screen"])
async def test_the_monkey_sees_what_is_left(place: str) -> None:
    monkey = Monkey(seed=1, events_wanted=0)
    secret = monkey.people[0].canaries[0]
    async with monkey.hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        app = visitor.app
        await visitor.until(lambda: app.current() is not None and app.current().is_mounted)
        monkey._check_memory(app)
        monkey._check_screen(visitor)
        monkey._check_log()
        if place == "attribute":
            app._visit = Visit()
            app._visit.release = {"of": [secret]}  # type: ignore[assignment]  # any place will do
        elif place == "widget":
            app.screen.notice(f"Hello {secret}")
            app.screen.notice("")
            app.screen.query_one("#notice")._remembered = secret
        elif place == "log":
            monkey._log.text += secret
        else:
            app.screen.notice(f"Hello {secret}")
            await pilot.pause()
        with pytest.raises(AssertionError, match=secret):
            look_everywhere(monkey, visitor, with_memory=place != "screen")


def look_everywhere(monkey: Monkey, visitor: Visitor, *, with_memory: bool) -> None:
    monkey._check_log()
    monkey._check_screen(visitor)
    if with_memory:
        monkey._check_memory(visitor.app)
