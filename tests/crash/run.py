"""The kill suite by hand: python -m tests.crash.run --kills 100 [--seed N] [--points] [--people].

With --people orders are cancelled, held, released and placed again meanwhile, by a schedule that
the seed makes and that is printed. --points kills at every point of an order instead of at random
instants; with --people somebody cancels or holds it at every point, with a kill and without.
--outages stops a PostgreSQL server of its own so many times instead.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from tests.crash.engine import Setting
from tests.crash.kills import kill_at_every_point, random_kills
from tests.crash.lives import deeds_at_every_point, kills_among_people
from tests.crash.outages import database_outages
from tests.postgres import needed_programs, server


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--points", action="store_true", help="kill at every point instead")
    parser.add_argument("--people", action="store_true", help="who cancel, hold and place again")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th point")
    parser.add_argument("--outages", type=int, default=0, help="stop the database instead")
    parser.add_argument("--url", default="", help="PostgreSQL, an empty database")
    parser.add_argument("--folder", type=Path, default=None, help="keep everything there")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed={seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="sendhome-crash-") as scratch:
        folder = args.folder or Path(scratch)
        started = time.monotonic()
        if args.outages:
            with server(needed_programs()) as one:
                report = database_outages(folder, one, args.outages, seed)
        elif args.points and args.people:
            report = deeds_at_every_point(folder, args.url, every=args.every)
        elif args.points:
            report = kill_at_every_point(folder, args.url, every=args.every)
        elif args.people:
            report = kills_among_people(Setting(folder, url=args.url), args.kills, seed)
        else:
            report = random_kills(Setting(folder, url=args.url), args.kills, seed)
        print(f"{report} minutes={(time.monotonic() - started) / 60:.1f}")


if __name__ == "__main__":
    main()
