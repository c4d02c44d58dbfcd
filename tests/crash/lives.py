"""Kills among people: the engine dies while orders are cancelled, held, released and placed again.

Two ways: at random instants by a schedule out of a seed, and one deed at every point of an order,
followed by a kill or not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from burner.simulated import Faults
from kiosk.domain.model import ExecutionStatus, OrderId
from tests.crash.engine import Setting
from tests.crash.kills import count_points
from tests.crash.people import Act, Deed, People, judge, make_schedule
from tests.crash.station import Report, Station, station

_LIVE = 2


def kills_among_people(
    setting: Setting, rounds: int, seed: int, say: Callable[[str], None] = print
) -> Report:
    """Kill the engine at random instants while people do what they like, then let it finish."""
    report = Report(seed)
    with station(setting) as one:
        one.drive.set_faults(Faults(speed=1))  # slow enough to be hit while it writes
        people = People(one)
        for number, life in enumerate(make_schedule(seed, rounds), 1):
            say(f"round {number} {life}")
            one.brings_blanks = one.answers_staff = life.is_attended
            acts = list(life.acts)
            while len(one.live()) < _LIVE:
                people.place()
            _until(one, people, acts, lambda: True, 0.0)
            one.start()
            started = time.monotonic()
            one.attend_until(one.is_working)
            report.recovered.append(time.monotonic() - started)
            end = time.monotonic()
            _until(one, people, acts, lambda e=end + life.life_s: time.monotonic() >= e, end)
            one.kill(with_children=life.with_children)
            report.kills += 1
            report.cuts += life.with_children
        one.brings_blanks = one.answers_staff = True
        one.start()
        one.attend_until(lambda: not one.live())
        people.see_to_the_rest()
        assert one.stop() == 0
        judge(one, report)
        report.deeds, report.refused = people.done, people.refused
    return report


def _until(
    one: Station, people: People, acts: list[Act], is_over: Callable[[], bool], start: float
) -> None:
    """Do what is due, until it is over; with `start` 0 all that comes before the engine."""

    def is_due() -> bool:
        return bool(acts) and (acts[0].at_s < 0 or bool(start and acts[0].at_s <= _since(start)))

    def step() -> bool:
        while is_due():
            act = acts.pop(0)
            people.do(act.deed, act.whom)
        return is_over()

    one.attend_until(step)


def _since(start: float) -> float:
    return time.monotonic() - start


# --- every point


@dataclass(frozen=True, slots=True)
class Trial:
    """One point of one order: what is done there, and whether the engine dies at once."""

    deed: Deed
    is_killed: bool

    def __str__(self) -> str:
        return f"{self.deed.value}{' and a kill' if self.is_killed else ''}"


TRIALS = tuple(Trial(deed, kill) for deed in (Deed.CANCEL, Deed.HOLD) for kill in (True, False))


def deeds_at_every_point(
    folder: Path, url: str = "", *, every: int = 1, first: int = 1,
    say: Callable[[str], None] = print,
) -> Report:  # fmt: skip
    """At each point of an order somebody cancels or holds it; with a kill there, and without.

    Args:
        every: Take only each so many-th point, beginning with `first`.
    """
    report = Report(0)
    setting = Setting(folder, url=url, trace=folder / "trace")
    with station(setting) as one:
        points = count_points(one)
        people = People(one, number=1)
        for trial in TRIALS:
            say(f"{trial} at points {first} to {points}, every {every}")
            for point in range(first, points + 1, every):
                _try(one, people, trial, point, report)
        one.start()
        one.attend_until(lambda: not one.live())
        people.see_to_the_rest()
        assert one.stop() == 0
        judge(one, report)
        report.deeds = people.done
    return report


def _try(one: Station, people: People, trial: Trial, point: int, report: Report) -> None:
    order_id = OrderId(f"order-{people.number + 1:04}")
    at = (order_id, point)
    before = one.setting
    one.setting = replace(before, deed=(*at, trial.deed.value))
    one.start(kill=at if trial.is_killed else None)
    one.setting = before
    one.attend_until(lambda: not one.live())  # what the one before left
    people.place()
    one.attend_until(lambda: not one.is_up() or not one.live())
    if trial.is_killed and not one.is_up():
        report.kills += 1
        one.start()
        one.attend_until(lambda: not one.live())
    job = one.jobs.get(order_id)
    ended = (ExecutionStatus.DONE, ExecutionStatus.FAILURE)
    assert job.status in ended, (trial, point, job)
    people.done[str(trial)] += 1
    one.kill()
