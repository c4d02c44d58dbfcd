"""`sendhome calls`: who called staff from a kiosk, and that somebody goes there."""

from __future__ import annotations

import argparse

from kiosk import config_file
from kiosk.cli.options import whole_number
from kiosk.cli.output import print_rows
from kiosk.cli.people import actor
from kiosk.errors import InvalidValueError
from kiosk.ports import StaffCall

SHOWN = ("number", "kiosk", "screen", "called_at", "answered_at", "answered_by")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("calls", help="calls for staff from the kiosks: list, answer")
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    listing = parts.add_parser("list", help="calls that nobody has answered, newest first")
    listing.add_argument("--all", action="store_true", help="answered ones too")
    listing.add_argument("--limit", type=whole_number(), default=50, metavar="N")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(run=run_list)
    answer = parts.add_parser(
        "answer", help="somebody is on the way: the kiosk says so to whoever called"
    )
    answer.add_argument("number", type=whole_number(), metavar="N")
    answer.set_defaults(run=run_answer)


def row(call: StaffCall) -> dict[str, object]:
    """A call as JSON and table show it."""
    return {
        "number": call.number,
        "kiosk": call.kiosk,
        "screen": call.where,
        "called_at": call.called_at.isoformat(timespec="seconds"),
        "answered_at": call.answered_at and call.answered_at.isoformat(timespec="seconds"),
        "answered_by": call.answered_by,
    }


def run_list(args: argparse.Namespace) -> int:
    from kiosk import bootstrap

    with bootstrap.existing_journal(config_file.load(args.config)) as journal:
        calls = journal.calls.newest(limit=args.limit, only_open=not args.all)
    rows = [row(call) for call in calls]
    if not args.json:
        for shown in rows:
            shown["answered_at"] = shown["answered_at"] or ""
    print_rows(args.json, rows, SHOWN)
    return 0


def run_answer(args: argparse.Namespace) -> int:
    """Raises InvalidValueError: there is no such call, or somebody has answered it."""
    from kiosk import bootstrap

    with bootstrap.existing_journal(config_file.load(args.config)) as journal:
        if not journal.calls.answer(args.number, actor=actor()):
            raise InvalidValueError(f"call {args.number} does not wait for anybody")
    return 0
