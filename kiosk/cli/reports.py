"""`sendhome order report`, and `--report` of a new order: reports from outside."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk import config_file
from kiosk.cli.output import print_json, print_table
from kiosk.cli.people import actor
from kiosk.domain.model import Order, OrderId, ReleaseState
from kiosk.errors import InvalidValueError, UnknownJobError
from kiosk.ports import LedgerPhase

if TYPE_CHECKING:
    from kiosk.adapters.journal import Journal
    from kiosk.config import Config
    from kiosk.services.reports import HandedInReport

_BEGUN = (LedgerPhase.WRITING, LedgerPhase.CLOSED, LedgerPhase.VERIFIED)
_TITLE = "Radiology report"


def add_option(parser: argparse.ArgumentParser) -> None:
    """`--report FILE` and what belongs to it."""
    parser.add_argument(
        "--report",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a report of the study as plain text or PDF, put onto every medium of the order as a"
        " DICOM object, a page and a PDF; may be given several times",
    )
    _add_words(parser)


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--report-title", default=_TITLE, metavar="TEXT", help="what it is called")
    parser.add_argument(
        "--preliminary", action="store_true", help="the report is not final, and says so"
    )
    parser.add_argument(
        "--report-encoding",
        default="",
        metavar="NAME",
        help="of a text that is not UTF-8, such as latin-1; never guessed",
    )


def add_parser(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = parts.add_parser(
        "report",
        help="hand in a report for an order, look at what is there, or take it back",
        description="What is handed in takes the place of earlier reports of the order; hand in"
        " together what belongs together. Every medium that is begun from then on has it. Without"
        " FILE: which reports there are.",
    )
    parser.add_argument("order_id", metavar="ORDER")
    parser.add_argument(
        "report",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="plain text or PDF; - for standard input",
    )
    _add_words(parser)
    parser.add_argument("--remove", action="store_true", help="take back what was handed in")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from kiosk import bootstrap
    from kiosk.services.reports import HandedInReport

    if args.remove and args.report:
        raise InvalidValueError("either FILE or --remove")
    config = config_file.load(args.config)
    order_id = OrderId(args.order_id)
    with bootstrap.existing_journal(config) as journal:
        order = journal.orders.get(order_id)
        if args.remove:
            bootstrap.reports(config, journal).remove(order_id, actor=actor())
        handed_in = hand_in(args, config, journal, order)
        shown = handed_in or [HandedInReport(kept) for kept in journal.reports.of(order_id)]
        what = "with it" if handed_in else "without a report from outside"
        outlook = _outlook(journal, order, what) if args.remove or handed_in else ""
    if args.json:
        print_json({"order_id": order_id, "reports": rows(shown), "note": outlook})
        return 0
    if not shown:
        print("No report was handed in for this order.")
    show(shown)
    if outlook:
        print(outlook)
    return 0


def hand_in(
    args: argparse.Namespace,
    config: Config,
    journal: Journal,
    order: Order,
    *,
    is_new: bool = False,
) -> list[HandedInReport]:
    """What the options say; empty if they name no file."""
    from kiosk import bootstrap

    if not args.report:
        return []
    return bootstrap.reports(config, journal).hand_in(
        order,
        [_content(path) for path in args.report],
        actor=actor(),
        title=args.report_title,
        is_preliminary=args.preliminary,
        encoding=args.report_encoding,
        is_new=is_new,
    )


def _content(path: Path) -> bytes:
    from kiosk.services.reports import MAX_REPORT_BYTES

    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(MAX_REPORT_BYTES + 1)
        else:
            with path.open("rb") as file:
                data = file.read(MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise InvalidValueError(f"the report {path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_REPORT_BYTES:
        raise InvalidValueError(f"the report {path} is larger than {MAX_REPORT_BYTES >> 20} MB")
    return data


def _outlook(journal: Journal, order: Order, what: str) -> str:
    """Which medium is the first with what was just changed.

    Args:
        what: How it will be, such as "with it".
    """
    if order.state is ReleaseState.COLLECTED:
        return f"What was handed out stays as it is. Release the order to make a medium {what}."
    try:
        job = journal.jobs.get(order.order_id)
    except UnknownJobError:
        return f"The medium of this order is made {what}."
    begun = any(one.outcome in _BEGUN for one in journal.ledger.history(order.order_id))
    if not job.has_ended and (begun or job.disc.number > 1):
        return f"A medium of this order is begun and stays as it is. The next one is made {what}."
    return f"The next medium of this order is made {what}."


def rows(handed_in: Sequence[HandedInReport]) -> list[dict[str, object]]:
    """For JSON."""
    return [
        {
            "title": it.kept.title,
            "preliminary": it.kept.is_preliminary,
            "pages": it.kept.pages,
            "size_bytes": it.kept.size_bytes,
            "sha256": it.kept.sha256,
            "received_at": it.kept.received_at.isoformat(timespec="seconds"),
            "stripped": list(it.stripped),
        }
        for it in handed_in
    ]


def show(handed_in: Sequence[HandedInReport]) -> None:
    """For people; nothing if there is none."""
    if not handed_in:
        return
    table = [
        (
            str(number),
            it.kept.title + (" (preliminary)" if it.kept.is_preliminary else ""),
            str(it.kept.pages),
            it.kept.received_at.isoformat(timespec="minutes"),
            ", ".join(it.stripped),
        )
        for number, it in enumerate(handed_in, 1)
    ]
    print_table(("report", "title", "pages", "handed in", "taken out for safety"), table)
