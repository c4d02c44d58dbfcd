"""The kill suite by hand: python -m tests.crash.run --kills 100 [--seed N] [--points]."""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from tests.crash.engine import Setting
from tests.crash.station import kill_at_every_point, random_kills


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--points", action="store_true", help="kill at every point instead")
    parser.add_argument("--url", default="", help="PostgreSQL, an empty database")
    parser.add_argument("--folder", type=Path, default=None, help="keep everything there")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed={seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="sendhome-crash-") as scratch:
        folder = args.folder or Path(scratch)
        if args.points:
            print(kill_at_every_point(folder, args.url))
        else:
            print(random_kills(Setting(folder, url=args.url), args.kills, seed))


if __name__ == "__main__":
    main()
