"""`sendhome order forms`: which release forms were signed for an order, and one as a PDF."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from kiosk import config_file
from kiosk.cli.output import print_json, print_rows
from kiosk.cli.people import actor
from kiosk.domain.model import OrderId
from kiosk.domain.release_form import KeptForm
from kiosk.errors import InvalidValueError

_SHOWN = ("form_id", "signed_at", "signed_by", "recipient", "language", "pages", "fee", "station",
          "order_ids")  # fmt: skip


def add_parser(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = parts.add_parser(
        "forms",
        help="list the release forms that were signed for an order, or write one out",
        description="Without FORM: which ones there are, newest first. One that was signed for"
        " several orders of a visit is found from each of them. Writing one out is put on record.",
    )
    parser.add_argument("order_id", metavar="ORDER")
    parser.add_argument("form_id", nargs="?", metavar="FORM", help="the one to write out")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where to; must not be there yet"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from kiosk import bootstrap, bootstrap_paper

    if bool(args.form_id) != bool(args.output):
        raise InvalidValueError("to write a form out, give both FORM and --output")
    config = config_file.load(args.config)
    order_id = OrderId(args.order_id)
    with bootstrap.existing_journal(config) as journal:
        journal.orders.get(order_id)  # one that there is not has no forms for another reason
        forms = bootstrap_paper.release_forms(config, journal)
        if not args.form_id:
            kept = forms.of(order_id)
            rows = [_row(form) for form in kept]
            if not args.json:
                for shown, form in zip(rows, kept, strict=True):
                    shown["order_ids"] = " ".join(form.order_ids)
            print_rows(args.json, rows, _SHOWN)
            return 0
        form, data = forms.read(order_id, args.form_id, actor=actor())
    _write(args.output, data)
    if args.json:
        print_json(_row(form) | {"file": str(args.output)})
    else:
        print(f"{args.output}: {form.size_bytes} bytes, SHA-256 {form.sha256}")
    return 0


def _write(path: Path, data: bytes) -> None:
    """A new file of mode 0600. Raises InvalidValueError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InvalidValueError(f"{path} cannot be made: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise InvalidValueError(f"{path} cannot be written: {error.strerror}") from error


def _row(form: KeptForm) -> dict[str, object]:
    return {
        "form_id": form.form_id,
        "order_id": form.order_id,
        "order_ids": list(form.order_ids),
        "signed_at": form.signed_at.isoformat(timespec="seconds"),
        "signed_by": form.signed_by,
        "recipient": form.recipient,
        "recipient_id": form.recipient_id,
        "language": form.language,
        "pages": form.pages,
        "fee": form.fee,
        "currency": form.currency,
        "station": form.station,
        "size_bytes": form.size_bytes,
        "sha256": form.sha256,
    }
