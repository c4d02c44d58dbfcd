"""`sendhome stick`: a stick of the house made anew, probed and empty, to seal or to stock."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kiosk import config_file
from kiosk.cli.burn import alone
from kiosk.cli.output import print_json
from kiosk.cli.people import actor
from kiosk.errors import ConfigError, InvalidValueError
from kiosk.widgets.safe_text import safe_text

if TYPE_CHECKING:
    from kiosk.adapters.device_make import FoundStick
    from kiosk.config import Config

LABEL: Final = "IMAGES"
_KINDS: Final = ("stick", "simulated-stick")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "stick",
        help="make a stick of the house anew: everything on it is lost",
        description="Without --erase it says what the stick is called, and at a terminal it asks. "
        "Then the stick is probed for whether it holds what it says, and gets one empty FAT32 "
        "partition. Never a disk that is not on USB, is built in or in use. A configured port is "
        "taken only while the engine of this station does not run; any other port always.",
    )
    parser.add_argument(
        "device", type=Path, metavar="DEVICE", help="the whole stick's node, or an image file"
    )
    parser.add_argument(
        "--erase",
        metavar="NAME",
        help="what is lost: model and serial number, exactly as they are shown",
    )
    parser.add_argument(
        "--label", default=LABEL, help=f"the volume's name, 11 of A-Z, 0-9, _ and - ({LABEL})"
    )
    parser.add_argument(
        "--stock", metavar="PORT", help="one more in stock for that configured port"
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Raises InvalidValueError: nobody agreed, or to another stick. ConfigError: no such port."""
    from kiosk.adapters.device_make import look_at_stick, make_stick

    config = config_file.load(args.config)
    if args.stock is not None and config.drive(args.stock).kind not in _KINDS:
        raise ConfigError(f"{args.stock} is no port for sticks")
    args.drive = _port_at(config, args.device)
    with alone(args) if args.drive else contextlib.nullcontext():
        found = look_at_stick(args.device)
        made = make_stick(args.device, _consent(args, found), args.label)
    if args.stock is not None:
        _put_in_stock(config, args.stock)
    if args.json:
        print_json(asdict(made))
        return 0
    print(
        f"{safe_text(made.identity, 200)}: {made.label}, FAT32, {made.free_bytes / 1e9:.2f} of "
        f"{made.size_bytes / 1e9:.2f} GB free; it holds what it says as far as it was probed"
    )
    return 0


def _port_at(config: Config, device: Path) -> str | None:
    """The configured port that is this stick, or a partition of it."""
    node = os.path.realpath(device)
    for drive in config.drives:
        there = os.path.realpath(drive.device)
        suffix = there.removeprefix(node)
        if drive.kind in _KINDS and (there == node or re.fullmatch("p?[0-9]+", suffix)):
            return drive.name
    return None


def _consent(args: argparse.Namespace, found: FoundStick) -> str:
    """What somebody said is lost; whether it is this stick is asked of the opened node again."""
    name = found.identity.text
    if args.erase is not None:
        said: str = args.erase
    else:
        shown = f"{safe_text(name, 200)}, {found.size_bytes / 1e9:.2f} GB"
        if args.json or not sys.stdin.isatty():
            raise InvalidValueError(f"this is {shown}: all of it is lost with --erase {name!r}")
        print(f"{shown}: everything on it will be lost.", file=sys.stderr)
        print("Type its model and serial number as they stand there: ", end="", file=sys.stderr)
        said = sys.stdin.readline().strip()
    if said != name:
        raise InvalidValueError(f"that is not what {args.device} is called; nothing was changed")
    return said


def _put_in_stock(config: Config, port: str) -> None:
    from kiosk import bootstrap

    with bootstrap.journal(config) as journal:
        journal.stock.add(port, 1, actor=actor())
