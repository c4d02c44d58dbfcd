"""The database's server goes away under a running engine, and comes back."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import replace
from pathlib import Path

from burner.simulated import Faults
from kiosk.domain.model import ExecutionStatus
from tests.crash.engine import Setting
from tests.crash.station import Report, station
from tests.postgres import Server, fresh_database

ENDS_WITHIN_S = 60.0


def database_outages(folder: Path, server: Server, outages: int, seed: int) -> Report:
    """Stop the server at random instants, in order or as by a crash; the engine has to end by
    itself (a disc that is being written is finished first) and is started when the server is back.
    """
    chance = random.Random(seed)
    report = Report(seed)
    number = 0
    with station(Setting(folder, url=fresh_database(server.url))) as one:
        one.drive.set_faults(Faults(speed=1))  # slow enough to be hit while it writes
        for _ in range(outages):
            one.start()
            while len(one.live()) < 2:
                number += 1
                one.place(number)
            one.attend_until(one.is_working)
            one.rest(chance.random() * 2.5)
            server.stop(chance.choice((signal.SIGINT, signal.SIGQUIT)))
            report.kills += 1
            stopped = time.monotonic()
            assert one.ended(ENDS_WITHIN_S) not in (None, 0), "it goes on without a database"
            report.ended.append(time.monotonic() - stopped)
            server.start()
        one.start()
        one.attend_until(lambda: not one.live())
        assert one.stop() == 0
        one.check(report)
    return report


def outage_at_the_start(folder: Path, server: Server, late: str) -> int | None:
    """The exit code of an engine that is still taking up what the last one left when the server
    goes away.
    """
    with station(Setting(folder, url=fresh_database(server.url))) as one:
        one.drive.set_faults(Faults(speed=1))
        one.start()
        one.place(1)
        one.attend_until(lambda: one.jobs.newest()[0].status is ExecutionStatus.CREATING)
        one.kill()
        one.setting = replace(one.setting, late=late)
        one.start()
        one.attend_until((folder / "late").exists)
        server.stop(signal.SIGQUIT)
        return one.ended(ENDS_WITHIN_S)
