"""kill -9 at every point and at random instants: every order ends with one good disc a copy.

More kills, other seeds: python -m tests.crash.run --kills 200 --seed 7. SENDHOME_CRASH_SEED sets
the seed here; it is printed in any case.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.crash.engine import LATE, Setting
from tests.crash.kills import kill_at_every_point, random_kills
from tests.crash.lives import deeds_at_every_point, kills_among_people
from tests.crash.outages import database_outages, outage_at_the_start
from tests.instants import sampled
from tests.postgres import needed_programs, postgres_server, postgres_url, server

__all__ = ["postgres_server", "postgres_url"]

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]


def a_seed() -> int:
    return int(os.environ.get("SENDHOME_CRASH_SEED") or random.SystemRandom().randrange(10**6))


def test_killed_at_points_of_an_order(tmp_path: Path) -> None:
    first, every = sampled(4)
    report = kill_at_every_point(tmp_path, every=every, first=first)
    print(report)
    assert report.kills > 50 // every
    assert report.done == report.orders > report.kills


def test_killed_at_random_instants(tmp_path: Path) -> None:
    seed = a_seed()
    print(f"seed={seed}")
    report = random_kills(Setting(tmp_path), 12, seed)
    print(report)
    assert report.done == report.orders > 0


def test_killed_while_people_cancel_hold_and_place_again(tmp_path: Path) -> None:
    seed = a_seed()
    report = kills_among_people(Setting(tmp_path), 8, seed)
    print(report)
    assert report.orders > 0
    assert sum(report.deeds.values()) > 10


def test_cancelled_or_held_at_some_points(tmp_path: Path) -> None:
    first = random.SystemRandom().randrange(1, 36)
    print(f"first={first}")
    report = deeds_at_every_point(tmp_path, every=36, first=first)
    print(report)
    assert report.orders > report.kills > 0


def test_killed_at_random_instants_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    seed = a_seed()
    print(f"seed={seed}")
    report = random_kills(Setting(tmp_path, url=postgres_url), 8, seed)
    print(report)
    assert report.done == report.orders > 0


def test_the_database_goes_away_and_comes_back(tmp_path: Path) -> None:
    seed = a_seed()
    print(f"seed={seed}")
    with server(needed_programs()) as one:
        report = database_outages(tmp_path, one, 3, seed)
    print(report)
    assert report.done == report.orders > 0


@pytest.mark.parametrize("late", LATE)
def test_the_database_goes_away_while_the_engine_begins(tmp_path: Path, late: str) -> None:
    """dbos tries for ever there: in the main thread, or in one that Python would wait for, without
    the station's lock, and at work beside the next process when the database is back."""
    with server(needed_programs()) as one:
        assert outage_at_the_start(tmp_path, one, late) == 1
