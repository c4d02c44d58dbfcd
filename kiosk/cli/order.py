"""`sendhome order`: what staff do with orders: add, list, ticket, unlock, hold, mark, place."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk import config_file
from kiosk.cli import forms, passwords, reports
from kiosk.cli.options import whole_number
from kiosk.cli.output import print_json, print_rows
from kiosk.cli.people import actor
from kiosk.config import Config
from kiosk.domain.model import HandOver, MediaChoice, Medium, Order, OrderId, Priority, ReleaseState
from kiosk.domain.protection import Protect
from kiosk.domain.waiver import WaiverReason
from kiosk.errors import InvalidValueError

if TYPE_CHECKING:  # the database's libraries are slow to import, and not for --help
    from kiosk.adapters.journal import Journal

MAX_COPIES = 10  # what `Jobs.submit` takes; staff may make more than the kiosk
_NOT = "no"
ADD_HELP = """Read one order as a JSON object from FILE or standard input (never from the command
line, which others can see). Fields: {fields}. Prints the order's id alone on a line, then what
is on the ticket."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from kiosk.domain.facts import DeskReason
    from kiosk.services.intake import FIELDS

    parser = commands.add_parser(
        "order", help="orders: add, list, ticket, unlock, hold, mark, place"
    )
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    fields = "; ".join(f"{name}: {text}" for name, text in FIELDS.items())
    add = parts.add_parser("add", help="add an order", description=ADD_HELP.format(fields=fields))
    add.add_argument("file", nargs="?", metavar="FILE", help="JSON, default standard input")
    add.add_argument("--ticket", action="store_true", help="also issue a claim ticket")
    add.add_argument("--json", action="store_true", help="as JSON")
    reports.add_option(add)
    add.set_defaults(run=run_add)
    reports.add_parser(parts)
    forms.add_parser(parts)
    listing = parts.add_parser("list", help="the newest orders, without patients' names")
    listing.add_argument("--limit", type=whole_number(), default=50, metavar="N")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(run=run_list)
    ticket = parts.add_parser("ticket", help="issue a claim ticket; an earlier one is void")
    ticket.add_argument("order_id", metavar="ORDER")
    ticket.add_argument("--json", action="store_true", help="as JSON")
    ticket.set_defaults(run=run_ticket)
    opened = parts.add_parser(
        "unlock",
        help="let wrong tries be forgotten: at its ticket, its numbers, its patient's card",
    )
    opened.add_argument("order_id", metavar="ORDER")
    opened.set_defaults(run=run_unlock)
    mark = parts.add_parser("mark", help="what the kiosk may do with it")
    mark.add_argument("order_id", metavar="ORDER")
    mark.add_argument(
        "--desk-only",
        choices=[_NOT, *(reason.value for reason in DeskReason)],
        help=f"the kiosk never hands it out, for this reason of staff's; {_NOT}: it may again",
    )
    mark.add_argument(
        "--send-home",
        choices=["yes", _NOT],
        help="its images are to be sent home today: a wristband or card may open it",
    )
    mark.add_argument(
        "--waive",
        choices=[_NOT, *(reason.value for reason in WaiverReason)],
        help="its next copy at the kiosk costs the visitor nothing, for this reason, which stands "
        f"on form and receipt; {_NOT}: the site's price",
    )
    mark.set_defaults(run=run_mark)
    for verb, state, text in (
        ("hold", ReleaseState.HELD, "keep it from the kiosk"),
        ("release", ReleaseState.RELEASED, "let the kiosk hand it out"),
        ("cancel", ReleaseState.CANCELLED, "it is not wanted any more"),
    ):
        change = parts.add_parser(verb, help=text)
        change.add_argument("order_id", metavar="ORDER")
        change.set_defaults(run=run_state, state=state)
    place = parts.add_parser(
        "place", help="make the medium now, without the kiosk; prints the job's id"
    )
    place.add_argument("order_id", metavar="ORDER")
    place.add_argument("--medium", choices=[m.value for m in Medium], default=Medium.DISC.value)
    place.add_argument("--copies", type=whole_number(1, MAX_COPIES), default=1, metavar="N")
    place.add_argument(
        "--hand-over",
        choices=[it.value.replace("_", "-") for it in HandOver],
        default="at-once",
        help="at-once: somebody stands at the drive (default); on-claim: it stays in the shut "
        "drive until the patient shows ticket and birth date at the kiosk",
    )
    place.add_argument(
        "--protect",
        action="store_true",
        help="with a password, which is shown once, below the job's id",
    )
    place.set_defaults(run=run_place)


def run_add(args: argparse.Namespace) -> int:
    from kiosk import bootstrap
    from kiosk.services.intake import MAX_DOCUMENT_BYTES, read_order

    config = config_file.load(args.config)
    if args.file and args.file != "-":
        try:
            with Path(args.file).open("rb") as file:
                data = file.read(MAX_DOCUMENT_BYTES + 1)
        except OSError as error:
            raise InvalidValueError(f"the order cannot be read: {error.strerror}") from error
    else:
        data = sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1)
    with bootstrap.journal(config) as journal:
        order = read_order(data, journal.clock.now(), lambda: bootstrap.pacs(config))
        handed_in = reports.hand_in(args, config, journal, order, is_new=True)
        if not handed_in:
            journal.orders.add(order, actor=actor())
        ticket = _issue(config, journal, order) if args.ticket else {}
    if args.json:
        shown = {"reports": reports.rows(handed_in)} if handed_in else {}
        print_json({"order_id": order.order_id} | ticket | shown)
    else:
        print(order.order_id)  # alone on the first line, as `place` prints the job's
        _show(ticket, as_json=False)
        reports.show(handed_in)
    return 0


_SHOWN = (
    "order_id",
    "state",
    "modality",
    "study_date",
    "with_report",
    "send_home",
    "desk_only",
    "waiver",
    "created_at",
)


def run_list(args: argparse.Namespace) -> int:
    from kiosk import bootstrap

    with bootstrap.existing_journal(config_file.load(args.config)) as journal:
        orders = journal.orders.newest(limit=args.limit)
    rows = [
        {
            "order_id": order.order_id,
            "state": order.state.value,
            "modality": order.modality,
            "study_date": order.study_date,
            "with_report": order.with_report,
            "send_home": order.send_home,
            "desk_only": order.desk_only.value if order.desk_only else "",
            "waiver": order.waiver.value if order.waiver else "",
            "created_at": order.created_at.isoformat(timespec="seconds"),
        }
        for order in orders
    ]
    print_rows(args.json, rows, _SHOWN)
    return 0


def run_ticket(args: argparse.Namespace) -> int:
    from kiosk import bootstrap

    config = config_file.load(args.config)
    with bootstrap.existing_journal(config) as journal:
        order = journal.orders.get(OrderId(args.order_id))
        shown = _issue(config, journal, order)
    _show(shown, args.json)
    return 0


def run_state(args: argparse.Namespace) -> int:
    from kiosk import bootstrap

    config = config_file.load(args.config)
    with bootstrap.existing_journal(config) as journal:
        journal.orders.set_state(OrderId(args.order_id), args.state, actor=actor())
        bootstrap.reports(config, journal).tidy(OrderId(args.order_id))
    return 0


def run_unlock(args: argparse.Namespace) -> int:
    from kiosk import bootstrap
    from kiosk.services.identify import unlock

    config = config_file.load(args.config)
    with bootstrap.existing_journal(config) as journal:
        order = journal.orders.get(OrderId(args.order_id))
        keys = bootstrap.ticket_keys(config)
        count = unlock(order, tickets=journal.tickets, keys=keys, actor=actor())
    print("It can be tried again." if count else "Nothing was locked or tried wrong.")
    return 0


def run_mark(args: argparse.Namespace) -> int:
    from kiosk import bootstrap
    from kiosk.domain.facts import DeskReason

    if args.desk_only is None and args.send_home is None and args.waive is None:
        raise InvalidValueError("--desk-only, --send-home or --waive is wanted")
    with bootstrap.existing_journal(config_file.load(args.config)) as journal:
        order = journal.orders.get(OrderId(args.order_id))
        desk_only, send_home = order.desk_only, order.send_home
        if args.desk_only is not None:
            desk_only = None if args.desk_only == _NOT else DeskReason(args.desk_only)
        if args.send_home is not None:
            send_home = args.send_home != _NOT
        journal.orders.set_marks(
            order.order_id, desk_only=desk_only, send_home=send_home, actor=actor()
        )
        if args.waive is not None:
            waiver = None if args.waive == _NOT else WaiverReason(args.waive)
            journal.orders.set_waiver(order.order_id, waiver, actor=actor())
    return 0


def run_place(args: argparse.Namespace) -> int:
    from kiosk import bootstrap
    from kiosk.services.parts import require_drive

    config = config_file.load(args.config)
    hand_over = HandOver(args.hand_over.replace("-", "_"))
    is_protected = args.protect or Protect(config.kiosk.protect) is Protect.ALWAYS
    choice = MediaChoice(Medium(args.medium), args.copies, hand_over, is_protected)
    require_drive(choice.medium, bootstrap.offered(config))
    with bootstrap.journal(config) as journal, bootstrap.jobs(journal) as jobs:
        job_id = jobs.submit(OrderId(args.order_id), choice, Priority.WARD, actor=actor())
        print(job_id, flush=True)
        if is_protected:
            passwords.show_once(journal, job_id)
    return 0


def _issue(config: Config, journal: Journal, order: Order) -> dict[str, object]:
    from kiosk import bootstrap
    from kiosk.services.identify import issue_ticket

    ticket = issue_ticket(
        order,
        tickets=journal.tickets,
        clock=journal.clock,
        keys=bootstrap.ticket_keys(config),
        actor=actor(),
        valid_for=timedelta(hours=config.kiosk.ticket_hours),
    )
    return {
        "ticket": ticket.printed_code,
        "qr_text": ticket.qr_text,
        "expires_at": ticket.expires_at.isoformat(timespec="minutes"),
    }


def _show(shown: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(shown)
    else:
        for key, value in shown.items():
            print(f"{key}: {value}")
