"""`sendhome stock`: blanks that are left for each drive, and what became of those before."""

from __future__ import annotations

import argparse
from typing import Final

from kiosk import config_file
from kiosk.cli.output import print_rows
from kiosk.cli.people import actor
from kiosk.errors import InvalidValueError
from kiosk.ports import DriveCounts

SHOWN: Final = ("drive", "in_stock", "counted_at", "begun", "good", "spoiled")
_UNCOUNTED: Final = "uncounted"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "stock",
        help="count the blanks of a drive, and see what became of them",
        description="Without words: each configured drive with the blanks that are left for it "
        "(empty: nobody counted them), how many media were begun, handed over and spoiled. With a "
        "drive and a number: so many blanks lie there now. A drive without blanks gets no job as "
        "long as another one has some; doctor warns before.",
    )
    parser.add_argument("drive", nargs="?", metavar="DRIVE", help="a configured drive")
    parser.add_argument(
        "blanks", nargs="?", metavar="N", help=f'how many there are, or "{_UNCOUNTED}"'
    )
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError for a drive that is not configured, InvalidValueError for no number."""
    from kiosk import bootstrap

    config = config_file.load(args.config)
    if args.drive is not None:
        config.drive(args.drive)
    with bootstrap.existing_journal(config) as journal:
        if args.blanks is not None:
            journal.stock.count(args.drive, _number(args.blanks), actor=actor())
        counts = {it.drive: it for it in journal.stock.counts()}
    names = [args.drive] if args.drive is not None else [drive.name for drive in config.drives]
    rows = [row(counts.get(name, DriveCounts(name, 0, 0, 0, None, None))) for name in names]
    if not args.json:
        rows = [{key: "" if it is None else it for key, it in one.items()} for one in rows]
    print_rows(args.json, rows, SHOWN)
    return 0


def row(counts: DriveCounts) -> dict[str, object]:
    """As the table and the JSON have it."""
    return {
        "drive": counts.drive,
        "in_stock": counts.in_stock,
        "counted_at": counts.counted_at,
        "begun": counts.begun,
        "good": counts.good,
        "spoiled": counts.spoiled,
    }


def _number(text: str) -> int | None:
    if text == _UNCOUNTED:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise InvalidValueError(f"the number of blanks is a whole number or {_UNCOUNTED}")
    return int(text)
