"""`sendhome devices`: drives and sticks, what they hold, what could be written; and what comes."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from kiosk.cli.output import print_rows

if TYPE_CHECKING:
    from kiosk.adapters.device_list import ShownDevice

SHOWN = ("kind", "device", "node", "name", "holds", "text")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "devices",
        help="drives and sticks: what they hold, what could be written",
        description="The name under `device` is for the configuration: it stays the same when the "
        "drive is plugged in again. What a disc is, udev believes; the recording program decides.",
    )
    parser.add_argument(
        "--follow", action="store_true", help="go on with a line an event, until stopped"
    )
    parser.add_argument("--json", action="store_true", help="as JSON; with --follow, one a line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from kiosk.adapters.device_list import followed, shown_devices

    if not args.follow:
        _print_all(args.json, shown_devices())
        return 0
    with followed() as (there, events):
        if args.json:
            for device in there:
                _print_line({"event": "there", **asdict(device)})
        else:
            _print_all(False, there)
        for word, device in events:
            if args.json:
                _print_line({"event": word, **asdict(device)})
            else:
                print(_line(word, device), flush=True)
    return 0


def _print_all(as_json: bool, found: list[ShownDevice]) -> None:
    if not found and not as_json:
        print("no drive and no stick", flush=True)
        return
    print_rows(as_json, [asdict(device) for device in found], SHOWN)
    print(end="", flush=True)


def _print_line(row: dict[str, object]) -> None:
    print(json.dumps(row, ensure_ascii=True), flush=True)


def _line(word: str, device: ShownDevice) -> str:
    from kiosk.widgets.safe_text import safe_text

    gone = word in ("drive.removed", "stick.out")
    rest = "" if gone else f": {device.holds}; {device.text}"
    return f"{word:<15}{device.node}  " + safe_text(f"{device.name}{rest}", 300)
