"""Ours beside its peers, in turn, as ratios; nothing of this is a test.

    python -m tests.bench [--only pipeline,iso] [--rounds 3] [--quick] [--json FILE]

Studies are made once below --data (about 1 GB). Close other programs: the ratios of processor time
stand a busy machine, walls do not.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.harness import Options, Table, save_json

BENCHES = {
    "receive": "tests.bench.bench_receive",
    "dicomdir": "tests.bench.bench_dicomdir",
    "iso": "tests.bench.bench_iso",
    "author": "tests.bench.bench_author",
    "encrypt": "tests.bench.bench_encrypt",
    "pipeline": "tests.bench.bench_pipeline",
    "memory": "tests.bench.bench_memory",
    "scale": "tests.bench.bench_scale",
    "transcode": "tests.bench.bench_transcode",
    "web": "tests.bench.bench_web",
    "check": "tests.bench.bench_check",
    "viewer": "tests.bench.bench_viewer",
    "cd": "tests.bench.bench_cd",
    "page": "tests.bench.bench_page",
    "burn": "tests.bench.bench_burn",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every target was met, 1 if one was missed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Ours beside its peers, in turn, as ratios. Ends with 1 if a target is missed.",
    )
    parser.add_argument("--only", default="", help=f"of {','.join(BENCHES)}; with commas")
    parser.add_argument("--rounds", type=int, default=3, help="of each case (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="smaller studies, one round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sendhome-bench"
    parser.add_argument("--data", type=Path, default=default, help="studies (%(default)s)")
    options = parser.parse_args(arguments)
    names = options.only.split(",") if options.only else list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown or options.rounds < 1:
        parser.error(f"unknown bench: {', '.join(unknown)}" if unknown else "--rounds from 1")
    options.data.mkdir(parents=True, exist_ok=True)
    tables: list[Table] = []
    with tempfile.TemporaryDirectory(prefix="work-", dir=options.data) as work:
        given = Options(
            data=options.data,
            work=Path(work),
            rounds=1 if options.quick else options.rounds,
            quick=options.quick,
        )
        for name in names:
            tables += importlib.import_module(BENCHES[name]).main(given)
    for table in tables:
        print(table.text())
    if options.json:
        save_json(options.json, tables)
    missed = [verdict for table in tables for verdict in table.verdicts() if not verdict[2]]
    print(f"\n{len(missed)} targets missed" if missed else "\nall targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
