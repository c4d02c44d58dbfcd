"""Runs that kill the engine while nobody meddles with the orders: at random, and at every point."""

from __future__ import annotations

import random
import time
from pathlib import Path

from burner.simulated import Faults
from kiosk.domain.model import OrderId
from tests.crash.engine import Setting
from tests.crash.station import Report, Station, station


def random_kills(setting: Setting, kills: int, seed: int) -> Report:
    """Kill the engine at random instants while orders come in, then let it finish."""
    chance = random.Random(seed)
    report = Report(seed)
    number = 0
    with station(setting) as one:
        one.drive.set_faults(Faults(speed=1))  # slow enough to be hit while it writes
        for _ in range(kills):
            one.start()
            started = time.monotonic()
            while len(one.live()) < 2:
                number += 1
                one.place(number, copies=2 if chance.random() < 0.1 else 1)
            # First until it works at all, then some time more: it lives for 0 to 2.5 s.
            one.attend_until(one.is_working)
            report.recovered.append(time.monotonic() - started)
            end = time.monotonic() + chance.random() * 2.5
            one.attend_until(lambda end=end: time.monotonic() >= end)
            with_children = chance.random() < 0.5
            one.kill(with_children=with_children)
            report.kills += 1
            report.cuts += with_children
        one.start()
        one.attend_until(lambda: not one.live())
        assert one.stop() == 0
        one.check(report)
    return report


def kill_at_every_point(folder: Path, url: str = "", *, every: int = 1, first: int = 1) -> Report:
    """One order a point: the engine dies there, its successor finishes the order and dies next."""
    report = Report(0)
    setting = Setting(folder, url=url, trace=folder / "trace")
    with station(setting) as one:
        points = count_points(one)
        number = 1
        for point in range(first, points + 1, every):
            number += 1
            order_id = OrderId(f"order-{number:04}")
            one.start(kill=(order_id, point))
            one.attend_until(lambda: not one.live())  # what the one before left
            one.place(number)
            one.attend_until(lambda order_id=order_id: not one.is_up() or not one.live())
            if one.is_up():  # fewer points than in the first order: the person was quicker
                one.kill()
                continue
            report.kills += 1
        one.start()
        one.attend_until(lambda: not one.live())
        assert one.stop() == 0
        one.check(report)
    return report


def count_points(one: Station) -> int:
    """Points of a plain order, found by making one."""
    one.start()
    order_id = one.place(1)
    one.attend_until(lambda: not one.live())
    assert one.stop() == 0
    trace = one.setting.trace
    assert trace is not None
    return sum(line.startswith(f"{order_id} ") for line in trace.read_text().splitlines())
