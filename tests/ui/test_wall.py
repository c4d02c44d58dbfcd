"""The wall: numbers, what is done, who is to come where; no names, no codes, in every language."""

from __future__ import annotations

import dataclasses
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from textual.pilot import Pilot

from kiosk.domain.model import ExecutionStatus, Job, OrderId, Progress, Question, Step, Wanted
from kiosk.domain.rates import Rates, StepTime
from kiosk.domain.wall import Call, WallRow, next_number, wall_rows
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.wall import LOOK_S, TURN_S, WallApp, WallParts, call_words, wall_line
from kiosk.services.drawer import queued_note
from kiosk.services.pulse import Pulse
from kiosk.widgets.words import LANGUAGES, use_language
from tests.fakes.clock import START, FakeClock
from tests.fakes.lobby import Hall, Visitor
from tests.fakes.orders import an_order
from tests.fakes.stations import FakeStations
from tests.ui import pictures
from tests.ui.hanging import Hanging
from tests.ui.screens import a_job
from tests.ui.terminal import Terminal

ROOT: Final = Path(__file__).parents[2]


def on_the_wall(number: int, at: int = 1, **changes: object) -> Job:
    """A job of the visit with that number."""
    job = dataclasses.replace(a_job(an_order(at)), wall_number=number)
    job = dataclasses.replace(job, created_at=START + timedelta(minutes=at))
    return dataclasses.replace(job, **changes)  # type: ignore[arg-type]  # by name


def asks(wanted: Wanted) -> Question:
    return Question(OrderId("any"), 1, wanted, START)


# --- what is decided


def test_numbers_come_round_and_skip_those_in_use() -> None:
    assert next_number(0, frozenset()) == 100
    assert next_number(100, frozenset()) == 101
    assert next_number(101, frozenset({102, 103})) == 104
    assert next_number(999, frozenset()) == 100
    assert next_number(998, frozenset({999, 100})) == 101
    assert next_number(500, frozenset(range(100, 1000))) == 501


@pytest.mark.parametrize("wanted", list(Wanted))
def test_whoever_is_asked_for_something_is_called(wanted: Wanted) -> None:
    (row,) = wall_rows([on_the_wall(117, question=asks(wanted))], START, {})
    assert row == WallRow(117, Call.DESK if wanted is Wanted.STAFF else Call.KIOSK)


def test_a_ready_medium_calls_and_one_under_way_does_not() -> None:
    ready = on_the_wall(118, progress=Progress(Step.HAND_OVER, 0, 0, "wanted.claim", START))
    assert wall_rows([ready], START, {})[0].call is Call.KIOSK
    job = on_the_wall(119)
    assert wall_rows([job], START, {job.job_id: 130.0}) == [
        WallRow(119, Call.WAIT, Step.WRITE, 130.0)
    ]


def test_exams_of_a_visit_are_one_line() -> None:
    first, second = on_the_wall(120, 1), on_the_wall(120, 2, progress=None)
    left = {first.job_id: 60.0}
    assert wall_rows([first, second], START, left) == [WallRow(120, Call.WAIT, Step.WRITE, None)]
    left[second.job_id] = 120.0
    assert wall_rows([first, second], START, left)[0].left_s == 180.0
    asking = dataclasses.replace(second, question=asks(Wanted.BLANK_DISC))
    assert wall_rows([first, asking], START, left) == [WallRow(120, Call.KIOSK)]


def test_what_has_ended_goes_and_a_failure_stays_for_a_while() -> None:
    done = on_the_wall(121, 1, status=ExecutionStatus.DONE, ended_at=START)
    failed = on_the_wall(
        122, 2, status=ExecutionStatus.FAILURE, error_code="medium.failed", ended_at=START
    )
    stopped = dataclasses.replace(failed, wall_number=123, error_code="job.cancelled")
    staffs = on_the_wall(0, 4)
    jobs = [done, failed, stopped, staffs]
    assert wall_rows(jobs, START + timedelta(minutes=29), {}) == [WallRow(122, Call.DESK)]
    assert wall_rows(jobs, START + timedelta(minutes=31), {}) == []


def test_whoever_is_called_stands_first() -> None:
    jobs = [on_the_wall(130, 1), on_the_wall(131, 2), on_the_wall(132, 3)]
    jobs[2] = dataclasses.replace(jobs[2], question=asks(Wanted.STICK))
    assert [row.number for row in wall_rows(jobs, START, {})] == [132, 130, 131]


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_each_line_has_room_in_each_language(language: str) -> None:
    use_language(language)
    for call in Call:
        for step in (None, *Step):
            row = WallRow(999, call, step, 12 * 60.0)
            assert wall_line(row, 60).endswith(call_words(row)), "cut at 64 columns"


# --- what is shown


class Room:
    """A wall and what it reads."""

    def __init__(self, *languages: str) -> None:
        self.clock = FakeClock()
        self.stations = FakeStations(self.clock)
        self.jobs: list[Job] = []
        self.parts = WallParts(
            jobs=self.read,
            pulse=Pulse(self.stations, self.clock, ""),
            clock=self.clock,
            site_name="Riverside Imaging",
            languages=languages or ("en",),
        )

    def read(self, ended_after: datetime) -> list[Job]:
        return [it for it in self.jobs if it.ended_at is None or it.ended_at >= ended_after]


def a_full_room() -> list[Job]:
    """One of each kind."""
    return [
        on_the_wall(140, 1, progress=None),
        on_the_wall(141, 2),
        on_the_wall(142, 3, question=asks(Wanted.BLANK_DISC)),
        on_the_wall(143, 4, question=asks(Wanted.STAFF)),
    ]


def text(pilot: Pilot[None]) -> str:
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


async def _until(pilot: Pilot[None], words: str) -> None:
    for _ in range(400):
        await pilot.pause(0.02)
        if words in text(pilot):
            return
    raise AssertionError(f"never said {words!r}:\n{text(pilot)}")


async def test_it_follows_the_jobs() -> None:
    room = Room()
    async with WallApp(room.parts).run_test() as pilot:
        app = pilot.app
        assert isinstance(app, WallApp)
        await _until(pilot, "Nobody is waiting")
        room.jobs = a_full_room()
        app._look()
        await _until(pilot, "142    ▶ Please come to the kiosk")
        shown = text(pilot)
        assert "143    ▶ Please go to the desk" in shown
        assert "140    Your turn comes next" in shown
        assert "141    Writing" in shown
        for private in ("GARCIA", "Maria", "Garcia", "CT", "A00001", "order-"):
            assert private not in shown
        assert " min" not in shown
        # Minutes come from the pace that is seen.
        room.clock.advance(10)
        room.jobs[1] = on_the_wall(141, 2, progress=Progress(Step.HAND_OVER, 20, 100, "", START))
        app._look()
        await _until(pilot, "141    Ready for you")
        room.clock.advance(30)
        room.jobs[1] = on_the_wall(141, 2, progress=Progress(Step.HAND_OVER, 30, 100, "", START))
        app._look()
        await _until(pilot, "Ready for you · about 4 min")
        room.jobs = []
        app._look()
        await _until(pilot, "Nobody is waiting")


async def test_minutes_come_from_what_was_measured() -> None:
    room = Room()
    measured = [
        StepTime(step, "disc", amount, 60.0)
        for step, amount in ((Step.WRITE, 100), (Step.VERIFY, 100), (Step.HAND_OVER, 1))
    ]
    room.parts = dataclasses.replace(room.parts, rates=lambda: Rates(measured))
    queued = Progress(Step.WRITE, 0, 0, queued_note("disc1"), START)
    room.jobs = [on_the_wall(141, 1), on_the_wall(142, 2, progress=queued)]
    async with WallApp(room.parts).run_test() as pilot:
        await _until(pilot, "141    Writing · about 3 min")
        await _until(pilot, "142")  # each row is painted by itself
        (line,) = [it for it in text(pilot).splitlines() if "142" in it]
        assert " min" not in line, "nobody knows when its turn comes"


async def test_no_key_and_no_touch_does_anything() -> None:
    room = Room()
    room.jobs = a_full_room()
    async with WallApp(room.parts).run_test() as pilot:
        await _until(pilot, "140")
        before = text(pilot)
        await pilot.press("q", "ctrl+c", "ctrl+q", "escape", "enter", "tab", "f1", "1")
        await pilot.click(offset=(20, 8))
        assert text(pilot) == before
        assert pilot.app.is_running


async def test_what_is_old_is_not_shown() -> None:
    """An engine that has stopped, a journal that hangs: numbers that stand still mislead."""
    room = Room()
    room.jobs = a_full_room()
    async with WallApp(room.parts).run_test() as pilot:
        app = pilot.app
        assert isinstance(app, WallApp)
        await _until(pilot, "140")
        room.stations.stop()
        app._look()
        await _until(pilot, "out of service")
        assert "140" not in text(pilot)
        room.stations.run()
        app._look()
        await _until(pilot, "140")
        with Hanging() as hanging:
            hanging.at(room.stations, "silent_s")
            app._look()
            room.clock.advance(40)
            app._look()
            await _until(pilot, "out of service")
            assert "140" not in text(pilot)
        await _until(pilot, "140")


async def test_languages_and_pages_follow_one_another() -> None:
    room = Room("en", "de")
    room.jobs = [on_the_wall(200 + at, at) for at in range(12)]
    async with WallApp(room.parts).run_test(size=(64, 20)) as pilot:
        app = pilot.app
        assert isinstance(app, WallApp)
        await _until(pilot, "1 of 2")
        seen = set()
        for at in range(4):
            shown = text(pilot)
            seen |= {f"{number}" for number in range(200, 212) if f"{number}  " in shown}
            assert ("Ihre Nummer" in shown) is (at >= 2)
            app._turn_page()
            await pilot.pause()
        assert len(seen) == 12
        assert "Your number" in text(pilot)
        assert TURN_S > LOOK_S


@pytest.mark.parametrize("size", [(20, 5), (39, 24), (80, 7), (1, 1)])
async def test_without_room_it_says_so(size: tuple[int, int]) -> None:
    room = Room()
    room.jobs = a_full_room()
    async with WallApp(room.parts).run_test(size=(80, 24)) as pilot:
        await _until(pilot, "140")
        await pilot.resize_terminal(*size)
        await pilot.pause()
        if size[0] >= 20:
            await _until(pilot, "too small" if size[0] > 30 else "small")
        await pilot.resize_terminal(80, 24)
        await _until(pilot, "140")


@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_pictures(language: str, tmp_path: Path) -> None:
    for size in ((80, 24), (64, 20)):
        room = Room(language)
        drawn = {}
        async with WallApp(room.parts).run_test(size=size) as pilot:
            app = pilot.app
            assert isinstance(app, WallApp)
            room.jobs = a_full_room()
            for _ in range(100):
                app._look()
                await pilot.pause(0.02)
                if "140" in text(pilot):
                    break
            drawn["wall"] = pictures.picture(app.screen._compositor.render_strips())
        pictures.compare(f"wall-{language}-{size[0]}x{size[1]}", drawn, tmp_path)


# --- where the number comes from


async def test_the_progress_page_says_the_number() -> None:
    hall = Hall()
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        await visitor.sees(ProgressScreen)
        number = hall.jobs.get(hall.order.order_id).wall_number
        assert number
        assert f"Number {number}" in visitor.said()
        assert hall.ticket.code not in visitor.text()


def test_it_comes_up_on_a_terminal_and_leaves_nothing() -> None:
    command = [sys.executable, "-m", "tests.ui.terminal_app", "wall"]
    with Terminal(command, cwd=ROOT) as terminal:
        terminal.until("140    Your turn comes next")
        terminal.send(b"\x03\x11q\r")
        terminal.read_for(0.5)
        assert terminal.is_alive


def test_a_failed_exam_does_not_hide_that_another_waits_for_its_person() -> None:
    failed = on_the_wall(
        124, 1, status=ExecutionStatus.FAILURE, error_code="medium.failed", ended_at=START
    )
    running = on_the_wall(124, 2)
    assert wall_rows([failed, running], START, {}) == [WallRow(124, Call.DESK)]
    ready = dataclasses.replace(
        running, progress=Progress(Step.HAND_OVER, 0, 0, "wanted.claim", START)
    )
    assert wall_rows([failed, ready], START, {}) == [WallRow(124, Call.KIOSK)]
