"""`sendhome engine`: this station's durable engine, until it is told to stop."""

from __future__ import annotations

import argparse
import logging
import sys

from kiosk import config_file


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "engine",
        help="run the jobs of this station",
        description="Fetches, builds, burns and hands over what the kiosk or staff have placed. "
        "One process a station; SIGTERM ends it after the disc that is being written. Prints READY "
        "when it serves.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from kiosk import bootstrap
    from kiosk.adapters.jobs.engine import EngineOptions, run_engine, station_lock
    from kiosk.app_process import is_ours_or_serious
    from kiosk.engine_parts import engine_parts
    from kiosk.services.job_log import JobFormatter

    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(is_ours_or_serious)
    handler.setFormatter(JobFormatter("%(levelname)s %(name)s %(job)s%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    config = config_file.load(args.config)
    options = EngineOptions(
        poll_s=config.engine.poll_s,
        keep_days=config.store.keep_done_days,
        snapshots=config.store.snapshots,
        clock_wait_s=config.engine.clock_wait_s,
    )
    state_dir = config.store.state_dir
    with bootstrap.journal(config) as journal:
        lock = station_lock(journal, state_dir)
        # before the receiver's port: a second engine must hear why it may not start
        with lock.hold(), engine_parts(config, journal) as parts:
            run_engine(
                parts,
                journal,
                state_dir,
                options,
                held=lock,
                on_ready=lambda: print("READY", flush=True),
            )
    return 0
