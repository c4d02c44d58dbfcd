"""The command line: picks the command, turns errors into one line and a documented exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from kiosk import __version__
from kiosk.cli.output import print_error, print_json_error
from kiosk.errors import KioskError

COMMANDS = (
    "demo",
    "kiosk",
    "wall",
    "engine",
    "order",
    "jobs",
    "calls",
    "label",
    "stock",
    "stick",
    "build",
    "check",
    "decrypt",
    "burn",
    "verify",
    "devices",
    "doctor",
    "config",
    "test",
)
EPILOG = "Exit codes: 0 done, 1 unexpected fault, 2 wrong usage; others in docs/exit-codes.md."


def make_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser; with `only` just that command's module is imported, which keeps it quick."""
    parser = argparse.ArgumentParser(
        prog="sendhome",
        description="A patient leaves with their complete study on a verified IHE PDI medium.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"sendhome {__version__}")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration (default: $SENDHOME_CONFIG)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        if only is None or name == only:
            importlib.import_module(f"kiosk.cli.{name}").add_parser(commands)
    return parser


def _wanted(argv: Sequence[str]) -> str | None:
    """The command's name if it is plain to see; None leaves it to the full parser."""
    words = iter(argv)
    for word in words:
        if word in COMMANDS:
            return word
        if word == "--config":
            next(words, None)
        elif word.startswith("-") and not word.startswith("--config="):
            return None
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the process' exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    os.umask(0o077)  # nothing that we write is for others
    args = make_parser(_wanted(argv)).parse_args(argv)
    try:
        code: int = args.run(args)
    except KioskError as error:
        if getattr(args, "json", False):
            print_json_error(error)
        return print_error(error)
    except KeyboardInterrupt:
        print("sendhome: stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of our output left; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return code


if __name__ == "__main__":
    sys.exit(main())
