"""Cut the power again and again: python -m tests.crash.powercut --cuts 100 [--seed N].

Journal and spool lie in a file system that forgets what was not fsynced (`volatile_fs`), every
other cut the worst that POSIX allows, every other by chance. The engine and all its children die
with it. The discs do not: what the laser wrote stays. Needs root and /dev/fuse.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from burner.simulated import Faults
from kiosk.adapters.journal.audit import AuditHead
from kiosk.domain.model import OrderId
from tests.crash.engine import Setting
from tests.crash.station import Report, Station, station
from tests.crash.volatile_fs import VolatileFs

_LIFE_S = 2.5


def power_cuts(folder: Path, cuts: int, seed: int) -> Report:
    """Every order that was acknowledged ends with its discs, whatever the disk forgot.

    Raises:
        PermissionError: Not root, or no FUSE here.
    """
    chance = random.Random(seed)
    report = Report(seed)
    with VolatileFs(folder / "disk") as disk:
        setting = Setting(disk.folder / "station", drive=folder / "drive")
        placed: dict[OrderId, int] = {}
        head = AuditHead(0, "")
        for number in range(cuts):
            with station(setting) as one:
                _remember(one, placed, head)
                one.drive.set_faults(Faults(speed=1))
                one.start()
                started = time.monotonic()
                while len(one.live()) < 2:
                    one.place(len(placed) + 1, copies=2 if chance.random() < 0.1 else 1)
                    placed = dict(one.placed)
                head = one.journal.audit.head()
                if chance.random() < 0.8:
                    one.attend_until(one.is_working)
                    report.recovered.append(time.monotonic() - started)
                end = time.monotonic() + chance.random() * _LIFE_S
                one.attend_until(lambda end=end: time.monotonic() >= end)
                # Our own connections end first, while the engine's keep the files as they are.
                one.close_journal()
                disk.cut(seed * 1000 + number, "random" if number % 2 else "worst")
                one.kill(with_children=True)
                report.kills += 1
        with station(setting) as one:
            _remember(one, placed, head)
            one.start()
            one.attend_until(lambda: not one.live())
            assert one.stop() == 0
            one.check(report)
    return report


def _remember(one: Station, placed: dict[OrderId, int], head: AuditHead) -> None:
    """What people were told before the cut is known after it."""
    for order_id, copies in placed.items():
        one.journal.orders.get(order_id)
        one.jobs.get(order_id)
        one.placed[order_id] = copies
    assert one.journal.audit.verify(head) >= head.seq


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed={seed}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sendhome-cuts-") as scratch:
        report = power_cuts(Path(scratch), args.cuts, seed)
    print(f"{report} minutes={(time.monotonic() - started) / 60:.1f}")


if __name__ == "__main__":
    main()
