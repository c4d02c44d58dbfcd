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
        "One process a station; SIGTERM ends it after the disc that is being written.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints READY when it serves."""
    from kiosk import bootstrap

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s %(message)s"
    )
    bootstrap.run_engine(config_file.load(args.config), on_ready=_ready)
    return 0


def _ready() -> None:
    print("READY", flush=True)
